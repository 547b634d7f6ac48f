// Package runner starts the servers, each pinned to one core, has a generator
// on another core load them in turns, and says how they compare.
//
// A round of a cell measures each candidate once, the yardstick first; the CPU
// time of a message divided by the yardstick's of the same round is one ratio.
// What is reported is the median of the rounds' ratios with its quartiles.
//
// Everything started here is stopped by its process id when the run ends, by
// error and interrupt too. Must run on the main thread, locked to it.
package runner
