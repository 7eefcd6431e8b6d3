const PASTE_BEGINS = '\u001b[200~';
const PASTE_ENDS = '\u001b[201~';
/** More than a message may hold; what a terminal never ends must not grow without bound. UTF-16 units. */
const MAX_PASTE = 1024 * 1024;
/** Longer than any sequence that is understood here: what goes on is no key. */
const MAX_SEQUENCE = 32;

export type KeyName = (typeof SEQUENCES)[keyof typeof SEQUENCES] | (typeof CONTROLS)[keyof typeof CONTROLS] | 'escape';

/** `text`: one or more characters as they were typed. `paste`: what the terminal says was pasted. */
export type Key = { readonly name: 'text' | 'paste'; readonly text: string } | { readonly name: KeyName };

/** As xterm, VTE, the Linux console and tmux send them. */
const SEQUENCES = {
  '\u001b[A': 'up',
  '\u001bOA': 'up',
  '\u001b[B': 'down',
  '\u001bOB': 'down',
  '\u001b[C': 'right',
  '\u001bOC': 'right',
  '\u001b[D': 'left',
  '\u001bOD': 'left',
  '\u001b[H': 'home',
  '\u001bOH': 'home',
  '\u001b[1~': 'home',
  '\u001b[7~': 'home',
  '\u001b[F': 'end',
  '\u001bOF': 'end',
  '\u001b[4~': 'end',
  '\u001b[8~': 'end',
  '\u001b[3~': 'delete',
  '\u001b[5~': 'page-up',
  '\u001b[6~': 'page-down',
  '\u001b[Z': 'back-tab',
  '\u001b[1;3A': 'previous',
  '\u001b[1;3B': 'next',
  '\u001b[1;5C': 'word-right',
  '\u001b[1;5D': 'word-left',
  '\u001b[1;3C': 'word-right',
  '\u001b[1;3D': 'word-left',
  '\u001bf': 'word-right',
  '\u001bb': 'word-left',
  '\u001b\r': 'newline',
  '\u001b\n': 'newline',
  '\u001b\u007f': 'kill-word',
  '\u001bOP': 'help',
  '\u001b[11~': 'help',
  '\u001b[[A': 'help',
} as const;

const CONTROLS = {
  '\r': 'enter',
  '\n': 'newline',
  '\t': 'tab',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u0001': 'home',
  '\u0002': 'list',
  '\u0003': 'interrupt',
  '\u0004': 'end-of-input',
  '\u0005': 'end',
  '\u0006': 'search',
  '\u0007': 'members',
  '\u000b': 'kill-to-end',
  '\u000c': 'redraw',
  '\u000e': 'next',
  '\u0010': 'previous',
  '\u0015': 'kill-to-start',
  '\u0017': 'kill-word',
} as const;

/** ECMA-48 §5.4 (CSI), the Linux console's function keys, SS3, and a key together with Alt. */
// eslint-disable-next-line no-control-regex -- Keys are control characters.
const SEQUENCE = /^\u001b(?:\[\[[A-E]|\[[0-?]*[ -/]*[@-~]|O[ -~]|[^\u001b[O])/u;
/** Over a slow line Escape and what was typed next come together: without its slash a command would be sent to somebody as text. */
// eslint-disable-next-line no-control-regex -- As above.
const TYPED_BEHIND_ESCAPE = /^\u001b[^\u0000-\u001f\u007f]$/u;
// eslint-disable-next-line no-control-regex -- As above.
const PLAIN = /^[^\u0000-\u001f\u007f]+/u;

/** Chunks of a terminal's input become keys: one chunk may hold several, and one key may come in several chunks. */
export class KeyReader {
  #rest = '';
  #pasted: string | undefined;

  /** True: what came last may be the Escape key, or the beginning of more. Nothing follows within some milliseconds: `flush`. */
  get waits(): boolean {
    return this.#pasted === undefined && this.#rest !== '';
  }

  push(chunk: string): Key[] {
    this.#rest += chunk;
    const keys: Key[] = [];
    for (let key = this.#next(); key !== undefined; key = this.#next()) if (key !== 'none') keys.push(key);
    return keys;
  }

  flush(): Key[] {
    if (!this.waits) return [];
    const rest = this.#rest.slice(1);
    this.#rest = '';
    return [{ name: 'escape' }, ...this.push(rest)];
  }

  /** `none`: something was read that is no key. Undefined: all is read that is whole. */
  #next(): Key | 'none' | undefined {
    if (this.#pasted !== undefined) return this.#paste(this.#pasted);
    if (this.#rest === '') return undefined;
    if (this.#rest.startsWith(PASTE_BEGINS)) {
      this.#rest = this.#rest.slice(PASTE_BEGINS.length);
      this.#pasted = '';
      return 'none';
    }
    return this.#rest.startsWith('\u001b') ? this.#sequence() : this.#typed();
  }

  #paste(before: string): Key | undefined {
    const end = this.#rest.indexOf(PASTE_ENDS);
    // The end mark itself may come in two chunks.
    const whole = end >= 0 ? end : Math.max(0, this.#rest.length - PASTE_ENDS.length + 1);
    const text = (before + this.#rest.slice(0, whole)).slice(0, MAX_PASTE);
    this.#rest = this.#rest.slice(end >= 0 ? end + PASTE_ENDS.length : whole);
    this.#pasted = end >= 0 ? undefined : text;
    return end >= 0 ? { name: 'paste', text: text.replaceAll(/\r\n?/g, '\n') } : undefined;
  }

  #sequence(): Key | 'none' | undefined {
    const [sequence] = SEQUENCE.exec(this.#rest) ?? [];
    if (sequence === undefined) {
      // Two Escapes: the first one stands alone.
      const alone = this.#rest.startsWith('\u001b\u001b') || this.#rest.length > MAX_SEQUENCE;
      if (!alone) return undefined;
      this.#rest = this.#rest.slice(1);
      return { name: 'escape' };
    }
    const name = (SEQUENCES as Readonly<Record<string, KeyName>>)[sequence];
    if (name === undefined && TYPED_BEHIND_ESCAPE.test(sequence)) {
      this.#rest = this.#rest.slice(1);
      return { name: 'escape' };
    }
    this.#rest = this.#rest.slice(sequence.length);
    return name === undefined ? 'none' : { name };
  }

  #typed(): Key | 'none' {
    const [text] = PLAIN.exec(this.#rest) ?? [];
    if (text !== undefined) {
      this.#rest = this.#rest.slice(text.length);
      return { name: 'text', text };
    }
    const name = (CONTROLS as Readonly<Record<string, KeyName>>)[this.#rest[0] ?? ''];
    this.#rest = this.#rest.slice(1);
    return name === undefined ? 'none' : { name };
  }
}
