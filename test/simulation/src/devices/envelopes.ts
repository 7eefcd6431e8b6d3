import { fromBinary } from '@bufbuild/protobuf';
import { type Envelope, EnvelopeSchema } from '@sotto/protocol';
import { commitId, messageId } from './observed-engine.js';

/** Of a supply. */
const SHOWN = 12;

type Kind = Envelope['kind'];

/** What is sent is sent again, arrives, and is described: each payload is read once. */
const readEnvelopes = new WeakMap<Uint8Array, Kind>();

export function envelopeOf(payload: Uint8Array): Kind {
  const known = readEnvelopes.get(payload) ?? read(payload);
  readEnvelopes.set(payload, known);
  return known;
}

function read(payload: Uint8Array): Kind {
  try {
    return fromBinary(EnvelopeSchema, payload).kind;
  } catch {
    return { case: undefined };
  }
}

/** The application messages that an envelope carries, each by the hex of its SHA-256. */
export function messagesIn(kind: Kind): string[] {
  if (kind.case === 'application') return [messageId(kind.value.message)];
  return kind.case === 'supply' ? kind.value.envelopes.flatMap((each) => messagesIn(envelopeOf(each))) : [];
}

/** For the trace. */
export function described(kind: Kind): string {
  switch (kind.case) {
    case 'application':
      return `message ${messageId(kind.value.message).slice(0, 8)}`;
    case 'commit':
      return `commit ${commitId(kind.value.message).slice(0, 8)}`;
    case 'welcome':
      return `welcome ${kind.value.commit === undefined ? '' : commitId(kind.value.commit.message).slice(0, 8)}`;
    case 'supply':
      return `supply (${describedAll(kind.value.envelopes)})`;
    default:
      return kind.case ?? 'junk';
  }
}

function describedAll(payloads: readonly Uint8Array[]): string {
  const shown = payloads.slice(0, SHOWN).map((each) => described(envelopeOf(each)));
  return `${shown.join(', ')}${payloads.length > SHOWN ? ', …' : ''}`;
}
