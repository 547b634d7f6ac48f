// Package examples holds what a newcomer tries first: the plugins in Go (echo,
// dumb_increment) and in C (c), configurations for them (conf), and pages that
// speak to them (html). Its tests drive all of it with foreign clients.
package examples
