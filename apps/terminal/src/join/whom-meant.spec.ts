import { describe, expect, it } from '@jest/globals';
import { whomMeant } from './whom-meant.js';

describe('a name that nobody has here', () => {
  const groups = [{ name: 'Tea & cake' }];
  const contacts = [{ name: 'bob.5273' }, { name: 'carol.1111' }, { name: 'carol.2222' }];

  it.each([
    ['Tea', 'a name with spaces goes in quotes, "Tea & cake"'],
    ['bob', 'did you mean bob.5273?'],
    ['carol', undefined],
    ['bo', undefined],
    ['dave', undefined],
  ])('%s: %s', (name, meant) => {
    expect(whomMeant(name, groups, contacts)).toBe(meant);
  });
});
