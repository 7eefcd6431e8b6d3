export interface Published {
  readonly bytes: Uint8Array;
  readonly lastResort: boolean;
}

export interface ClaimedBytes {
  readonly device: string;
  readonly bytes: Uint8Array;
  readonly lastResort: boolean;
}

/** Key packages in live state: a one-time package is handed out once, the last resort where no other is left. */
export class Directory {
  /** Account → device → packages. */
  readonly #packages = new Map<string, Map<string, Published[]>>();

  publish(account: string, device: string, packages: readonly Published[]): void {
    const ofAccount = this.#packages.get(account) ?? new Map<string, Published[]>();
    this.#packages.set(account, ofAccount);
    const kept = (ofAccount.get(device) ?? []).filter(({ lastResort }) => !lastResort || packages.every((each) => !each.lastResort));
    ofAccount.set(device, [...kept, ...packages]);
  }

  count(account: string, device: string): { oneTime: number; lastResort: boolean } {
    const packages = this.#packages.get(account)?.get(device) ?? [];
    return { oneTime: packages.filter(({ lastResort }) => !lastResort).length, lastResort: packages.some(({ lastResort }) => lastResort) };
  }

  /** One package of each device of the account. */
  claim(account: string): ClaimedBytes[] {
    return [...(this.#packages.get(account) ?? [])].flatMap(([device, packages]) => {
      const at = packages.findIndex(({ lastResort }) => !lastResort);
      const chosen = at < 0 ? packages[0] : packages.splice(at, 1)[0];
      return chosen === undefined ? [] : [{ device, ...chosen }];
    });
  }

  /** The device starts anew: what it had published opens nothing any more. */
  clear(account: string, device: string): void {
    this.#packages.get(account)?.delete(device);
  }

  wipe(): void {
    this.#packages.clear();
  }
}
