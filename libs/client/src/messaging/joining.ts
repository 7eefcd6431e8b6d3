import { create, fromBinary } from '@bufbuild/protobuf';
import { decodeGroupData, type GroupState, type Member, MlsError, type OwnKeyPackage, type StateId } from '@sotto/mls';
import {
  fromHex,
  type Greeting,
  GreetingSchema,
  HelloSchema,
  ID_BYTES,
  KEY_BYTES,
  toHex,
  TOKEN_BYTES,
  type WelcomeEnvelope,
} from '@sotto/protocol';
import { commitId } from '../groups/stored-commit.js';
import type { Step } from '../groups/group-ports.js';
import { sealHello } from '../groups/hello.js';
import type { HelloInit } from '../groups/hello-writer.js';
import { GREETING_LABEL, greetingKey, type JoinPackage, rejoinRequest } from '../groups/rejoining.js';
import type { MessengerPorts } from './messenger-ports.js';

const LIFETIME_SECONDS = 30 * 86_400;
/** Clocks of other devices may be behind, or this one ahead: by as much as lets them still connect. */
const SKEW_SECONDS = 86_400;
const FRESH_MS = 600_000;
const MOST_PACKAGES_PER_GROUP = 4;
const MOST_PACKAGES = 64;
const NONCE_BYTES = 16;

/** What a Welcome leads to. */
export interface Welcomed {
  readonly group: string;
  readonly id: StateId;
  readonly state: GroupState;
  readonly used: OwnKeyPackage;
  readonly by: Member;
  readonly name: string;
  /** It uses a package that this device made for this group, when a member asked or it had to be let in again. */
  readonly asked: boolean;
  /** The commit that it belongs to. */
  readonly commit: { readonly parent: StateId; readonly bytes: Uint8Array };
  /** By a package that was made since the program started: no disk that was put back can have forgotten what was sealed where it leads. */
  readonly isFirst: boolean;
}

/** How this device gets into groups: the key packages that it made for that, Welcomes, and greetings of groups it does not know. */
export class Joining {
  /** Public halves that were in the store when the program started. */
  readonly #stored: ReadonlySet<Uint8Array>;

  constructor(
    private readonly ports: MessengerPorts,
    /** By capability id. */
    private readonly packages: Map<string, JoinPackage>,
  ) {
    this.#stored = new Set([...packages.values(), ...ports.stock.candidates()].map(({ publicBytes }) => publicBytes));
  }

  /** A package for one group alone, apart from the published ones. The oldest make room. */
  async newPackage(group: string, step: Step): Promise<OwnKeyPackage> {
    // The same for all who offer their help at a time: whoever is first makes the others' of no use.
    const fresh = [...this.packages.values()].find((each) => each.group === group && step.now - each.at < FRESH_MS);
    if (fresh !== undefined) return fresh;
    const own = await this.generate(step.now);
    const kept: JoinPackage = { publicBytes: own.publicBytes, privateBytes: own.privateBytes, group, at: step.now };
    this.#add(kept, step);
    return own;
  }

  generate(now: number): Promise<OwnKeyPackage> {
    const seconds = Math.floor(now / 1_000);
    const lifetime = { notBefore: seconds - SKEW_SECONDS, notAfter: seconds + LIFETIME_SECONDS };
    return this.ports.engine.generateKeyPackage({ token: this.ports.newToken(), lifetime });
  }

  /** Throws MlsError: not for this device, or not what it says it is. */
  async open({ welcome, commit }: WelcomeEnvelope): Promise<Welcomed> {
    const { engine, provider } = this.ports;
    if (commit === undefined) throw new MlsError('malformed', 'a Welcome without its commit');
    const { state, used, signer } = await engine.joinFromWelcome(welcome, [...this.packages.values(), ...this.ports.stock.candidates()]);
    const { groupId, epoch } = engine.peek(commit.message);
    if (toHex(groupId) !== toHex(state.groupId) || epoch + 1n !== state.epoch)
      throw new MlsError('invalid', 'a Welcome with another commit');
    const data = decodeGroupData(engine.groupData(state));
    const id = commitId(commit.message, provider);
    const group = toHex(state.groupId);
    const asked = [...this.packages.values()].some((each) => each === used && each.group === group);
    const isFirst = !this.#stored.has(used.publicBytes);
    const ledHere = { parent: toHex(commit.parent), bytes: commit.message };
    return { group, id, state, used, by: signer, name: data.name, asked, commit: ledHere, isFirst };
  }

  /** The package is used up; what else was made for this group is of no use any more. */
  spend({ used, group }: Welcomed, step: Step): boolean {
    for (const [key, each] of [...this.packages]) if (each.group === group) this.#drop(key, step);
    return this.ports.stock.spend(used, step.journal);
  }

  /** Undefined: it was not meant for a leaf of this device that is still to be had. */
  openGreeting(sealed: Uint8Array): Greeting | undefined {
    for (const own of [...this.packages.values(), ...this.ports.stock.candidates()]) {
      try {
        const greeting = fromBinary(GreetingSchema, this.ports.engine.openAsLeaf(own, GREETING_LABEL, sealed));
        const { id, key, sender, token, group } = greeting;
        const whole = id.length === NONCE_BYTES && sender.length === ID_BYTES && key.length === KEY_BYTES && token.length === TOKEN_BYTES;
        return whole && group.length > 0 ? greeting : undefined;
      } catch {
        continue;
      }
    }
    return undefined;
  }

  /** To a group that greets this device, and that it does not know: asks to be let in. */
  async askIn(greeting: Greeting, step: Step): Promise<Uint8Array> {
    const { engine, random } = this.ports;
    const group = toHex(greeting.group);
    const { publicBytes } = await this.newPackage(group, step);
    const rejoin = rejoinRequest(group, greeting.id, publicBytes, (label, bytes) => engine.sign(label, bytes));
    return this.#answer(greeting, { nonce: random(NONCE_BYTES), rejoin });
  }

  /** To one that is no member where this device is: says so. */
  disown(greeting: Greeting): Uint8Array {
    return this.#answer(greeting, { removed: true });
  }

  #answer(greeting: Greeting, says: HelloInit): Uint8Array {
    const { engine, own, random } = this.ports;
    const { group, id, sender } = greeting;
    const hello = create(HelloSchema, { group, sender: fromHex(own.device), recipient: sender, answers: id, ...says });
    return sealHello(hello, [greetingKey(greeting)], { random, sign: (bytes) => engine.sign('hello', bytes) });
  }

  #add(kept: JoinPackage, step: Step): void {
    const ofGroup = [...this.packages].filter(([, { group }]) => group === kept.group);
    if (ofGroup.length >= MOST_PACKAGES_PER_GROUP) this.#drop(ofGroup[0]![0], step);
    if (this.packages.size >= MOST_PACKAGES) this.#drop(this.packages.keys().next().value!, step);
    const key = toHex(this.ports.random(NONCE_BYTES));
    this.packages.set(key, kept);
    step.journal.put('join-packages', key, kept);
  }

  #drop(key: string, step: Step): void {
    this.packages.delete(key);
    step.journal.remove('join-packages', key);
  }
}
