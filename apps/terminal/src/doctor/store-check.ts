import { existsSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { examineStore } from '@sotto/client/node';
import { broken, type Finding, good, look } from './finding.js';

const MIB = 1_048_576;
/** Elsewhere a log may also mean that another process has the file. */
const INTERRUPTED = process.platform === 'linux' ? 'the last process was killed' : 'a process uses it, or the last one was killed';
const DISK = { tight: 100 * MIB, full: MIB };

/** Of a device's file, without its password. */
export async function checkStore(file: string): Promise<Finding[]> {
  if (!existsSync(file)) return [look('store', `nothing is stored at ${file}`, 'sotto join makes it; or name the folder with --store')];
  return [checkFile(file), await checkAccess(file), await checkDisk(dirname(file))];
}

function checkFile(file: string): Finding {
  const { state, why, holder, bytes } = examineStore(file);
  const size = `${(bytes / MIB).toFixed(1)} MiB`;
  switch (state) {
    case 'whole':
      return good('store', `${file} is whole (${size}), and no process uses it`);
    case 'in-use':
      return good('store', `${file} is in use${holder === undefined ? '' : ` by process ${holder}`} (${size}): its pages were not read`);
    case 'interrupted':
      return look('store', `${file} (${size}): ${INTERRUPTED}`, 'nothing is lost: the next start takes in its log and checks the file');
    case 'damaged':
      return broken(
        'store',
        `${file}: ${why ?? 'it is damaged'}`,
        'put a copy of it back if you have one; else move it away and join again, as a new device',
      );
  }
}

/** Sealed, but sizes and times tell something, too. Either of folder and file may keep others out. */
async function checkAccess(file: string): Promise<Finding> {
  const folder = dirname(file);
  const [ofFolder, ofFile] = [await stat(folder), await stat(file)];
  if (process.platform !== 'win32' && (ofFolder.mode & 0o011) !== 0 && (ofFile.mode & 0o066) !== 0)
    return look('access', 'others on this machine can read the file', `chmod 700 '${folder}'`);
  return good('access', 'nobody else can read it');
}

async function checkDisk(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const text = `${Math.floor(free / MIB)} MiB are free on its disk`;
  if (free < DISK.full) return broken('disk', text, 'make room: nothing new can be kept');
  return free < DISK.tight ? look('disk', text, 'make room soon') : good('disk', text);
}
