import { fromBinary } from '@bufbuild/protobuf';
import { type Envelope, EnvelopeSchema } from '@sotto/protocol';
import { commitId, messageId } from './observed-engine.js';

/** Of a supply. */
const SHOWN = 12;

export function envelopeOf(payload: Uint8Array): Envelope['kind'] {
  try {
    return fromBinary(EnvelopeSchema, payload).kind;
  } catch {
    return { case: undefined };
  }
}

/** The application messages that a payload carries, each by the hex of its SHA-256. */
export function messagesIn(payload: Uint8Array): string[] {
  const kind = envelopeOf(payload);
  if (kind.case === 'application') return [messageId(kind.value.message)];
  return kind.case === 'supply' ? kind.value.envelopes.flatMap(messagesIn) : [];
}

/** For the trace. */
export function described(payload: Uint8Array): string {
  const kind = envelopeOf(payload);
  switch (kind.case) {
    case 'application':
      return `message ${messageId(kind.value.message).slice(0, 8)}`;
    case 'commit':
      return `commit ${commitId(kind.value.message).slice(0, 8)}`;
    case 'welcome':
      return `welcome ${kind.value.commit === undefined ? '' : commitId(kind.value.commit.message).slice(0, 8)}`;
    case 'supply':
      return `supply (${kind.value.envelopes.map(described).slice(0, SHOWN).join(', ')}${kind.value.envelopes.length > SHOWN ? ', …' : ''})`;
    default:
      return kind.case ?? 'junk';
  }
}
