// Package proc reads what other processes use: CPU time, memory, threads. It
// holds nothing and may be called from anywhere.
package proc
