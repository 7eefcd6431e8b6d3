const MINIMUM_BYTES = 256;

/** Padmé above a floor: the length of a message says at most its floating-point magnitude. The same rule as the channel's boxes. */
export function paddedLength(length: number): number {
  if (length <= MINIMUM_BYTES) return MINIMUM_BYTES;
  const exponent = Math.floor(Math.log2(length));
  const mantissaBits = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** (exponent - mantissaBits);
  return Math.ceil(length / step) * step;
}
