import { describe, expect, it } from '@jest/globals';
import { optionsOf } from './options-of.js';

describe('the environment of the server in one process', () => {
  it('is judged by the limits of the parts, all at once and by the names of variables', () => {
    const env = { TRUSTED_PROXIES: 'garbage', RELAY_RETRY_WINDOW: '999999', RELAY_RECIPIENT_RATE: '1', SERVER_NAME: 'x'.repeat(254) };
    expect(() => optionsOf(env)).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        problems: expect.arrayContaining([
          'SOTTO_FOLDER: is not set',
          ...[
            'TRUSTED_PROXIES: must be addresses',
            'RELAY_RETRY_WINDOW: Too big',
            'RELAY_RECIPIENT_RATE: Too small',
            'SERVER_NAME: Too big',
          ].map((said) => expect.stringContaining(said)),
        ]),
      }),
    );
  });
});
