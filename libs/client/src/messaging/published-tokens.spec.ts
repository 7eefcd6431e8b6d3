import { describe, expect, it } from '@jest/globals';
import { PublishedTokens } from './published-tokens.js';

const HOUR = 3_600_000;

describe('tokens in published key packages', () => {
  it('are looked up once a day for each account, whichever of its devices is wanted and whatever is found', () => {
    const tokens = new PublishedTokens();
    let lookedUp = 0;
    const of = (device: string, now: number) => tokens.of('bob', device, now, () => lookedUp++);
    expect(of('phone', 0)).toBeUndefined();
    tokens.claimed(new Map([['phone', { bytes: new Uint8Array(), leaf: '', token: new Uint8Array([7]) }]]));
    expect(of('phone', 5 * HOUR)).toEqual(new Uint8Array([7]));
    expect(of('tablet', 23 * HOUR)).toBeUndefined();
    expect(lookedUp).toBe(1);
    of('tablet', 24 * HOUR);
    expect(lookedUp).toBe(2);
  });
});
