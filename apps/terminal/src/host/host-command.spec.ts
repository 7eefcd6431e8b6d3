import { describe, expect, it } from '@jest/globals';
import { explained } from './host-command.js';
import { operatorLog } from './operator-log.js';

const refused = (code: string, syscall: string) => Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });

describe('a server that does not start', () => {
  it.each([
    ['EACCES', 'listen', 80, 'port 80 needs rights'],
    ['EACCES', 'open', 0, '/srv/sotto cannot be written'],
    ['EROFS', 'open', 80, '/srv/sotto cannot be written'],
    ['ENOSPC', 'write', 0, 'the disk of /srv/sotto is full'],
    ['EDQUOT', 'write', 0, 'the disk of /srv/sotto is full'],
    ['EADDRINUSE', 'listen', 7788, 'port 7788 is taken'],
  ])('for %s at %s, on port %d: %s', (code, syscall, port, text) => {
    expect(explained(refused(code, syscall), { host: '127.0.0.1', port }, '/srv/sotto').message).toContain(text);
  });
});

describe('what the operator hears', () => {
  it('of an error is its kind, and no word that it may quote', () => {
    const heard: string[] = [];
    const log = operatorLog(
      (line) => heard.push(line),
      (error) => error.name,
    );
    log.error(new TypeError('alice typed hunter2'));
    log.error('nothing can be stored');
    log.log();
    expect(heard).toEqual(['error: TypeError', 'error: nothing can be stored']);
  });
});
