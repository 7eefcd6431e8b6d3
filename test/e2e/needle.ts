import { runInThisContext } from 'node:vm';
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

/** Most attempts fail at once: they need no more room than that. */
const LIMITS = { maxOutputLength: 16 * 1024 * 1024, chunkSize: 1_024 };
/** Layers of encoding and compression, one in the other, that are taken off. */
const LAYERS = 3;

/** A needle in every form in which software writes bytes down. */
export function formsOf(needle: Uint8Array): Buffer[] {
  const raw = Buffer.from(needle);
  // Base64 of the same bytes differs by where they stand in a group of three: all three ways, without their edges.
  const base64 = [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), raw])
      .toString('base64')
      .slice(4, -4);
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [raw, ...[raw.toString('hex'), raw.toString('hex').toUpperCase(), ...base64].map((text) => Buffer.from(text))];
}

const DECODERS: ((bytes: Buffer) => Buffer | undefined)[] = [
  (bytes) => gunzipSync(bytes, LIMITS),
  (bytes) => inflateSync(bytes, LIMITS),
  (bytes) => inflateRawSync(bytes, LIMITS),
  (bytes) => brotliDecompressSync(bytes, LIMITS),
  (bytes) => decodedText(bytes, /^(?:\\x|0x)?((?:[0-9a-f]{2}){16,})$/i, 'hex'),
  (bytes) => decodedText(bytes, /^([A-Za-z0-9+/_-]{22,}={0,2})$/, 'base64'),
];

function decodedText(bytes: Buffer, pattern: RegExp, encoding: 'hex' | 'base64'): Buffer | undefined {
  const [, text] = pattern.exec(bytes.toString('latin1').trim()) ?? [];
  return text === undefined ? undefined : Buffer.from(text, encoding);
}

/** A value as it stands, and as what it may be the encoding or the compression of. */
export function* unwrapped(value: Buffer, layers = LAYERS): Generator<Buffer> {
  yield value;
  if (layers === 0 || value.length < 16) return;
  for (const decode of DECODERS) {
    const inner = attempt(() => decode(value));
    if (inner !== undefined && inner.length > 0) yield* unwrapped(inner, layers - 1);
  }
}

/** A file as it stands, and the compressed streams in it. */
export function* streamsIn(file: Buffer): Generator<Buffer> {
  yield file;
  for (const [magic, header, inflate] of [
    ['1f8b0800', 10, inflateRawSync],
    ['7801', 0, inflateSync],
    ['785e', 0, inflateSync],
    ['789c', 0, inflateSync],
    ['78da', 0, inflateSync],
  ] as const) {
    const start = Buffer.from(magic, 'hex');
    for (let at = file.indexOf(start); at >= 0; at = file.indexOf(start, at + 1)) {
      const inner = attempt(() => inflate(file.subarray(at + header), LIMITS));
      if (inner !== undefined) yield inner;
    }
  }
}

/** Node's own, of which its errors are; Jest gives tests another. */
const NodeError = runInThisContext('Error') as ErrorConstructor;

/** Without a stack: of each that fails Jest would map every line to its source, which takes ten times as long as to fail. */
function attempt<T>(decode: () => T): T | undefined {
  const limit = NodeError.stackTraceLimit;
  NodeError.stackTraceLimit = 0;
  try {
    return decode();
  } catch {
    return undefined;
  } finally {
    NodeError.stackTraceLimit = limit;
  }
}
