// Loaded into the servers whose memory is measured (`--import`, with --expose-gc): a signal makes them let go of what nobody holds any more.
process.on('SIGUSR2', () => (globalThis as { gc?: () => void }).gc?.());
