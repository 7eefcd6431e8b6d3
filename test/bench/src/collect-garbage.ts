// Loaded into the servers whose memory is measured (`--import`, with --expose-gc): a signal makes them let go of what nobody holds any more, and say how
// much of their heap is taken but empty.
process.on('SIGUSR2', () => {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapTotal, heapUsed } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ emptyHeapBytes: heapTotal - heapUsed })}\n`);
});
