import { describe, expect, it } from '@jest/globals';
import { didYouMean, withTag } from './suggestion.js';

describe('what was probably meant', () => {
  it('is the word that is near', () => {
    expect(didYouMean('verfy', ['verify', 'quit'], '/')).toBe(', did you mean /verify?');
    expect(didYouMean('open', ['verify', 'quit'], '/')).toBe('');
  });

  it('is who has that name with a tag behind it', () => {
    expect(withTag('bob', ['bob.5273', 'bobby', 'alice'])).toBe('did you mean bob.5273?');
    expect(withTag('bob', ['bob.5273', 'bob.0929'])).toBe('did you mean bob.5273 or bob.0929?');
    expect(withTag('carol', ['bob.5273'])).toBeUndefined();
  });
});
