let isHungUp = false;

/** The terminal in which this runs is gone. */
export function noteHangup(): void {
  isHungUp = true;
}

/** Everything is stored. Without its terminal the process ends by SIGHUP: Node, when it exits, sets terminals back, and aborts where that fails. */
export function end(code: number): void {
  if (!isHungUp) process.exit(code);
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}
