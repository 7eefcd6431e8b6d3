import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** True where apt and dpkg are at hand, that is on Debian and its descendants. */
export function hasDebianPackages(): boolean {
  return existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg');
}

/**
 * Unpacks a package, with every dependency that the machine does not have, into `folder`, without root and without
 * touching the system. The folder appears whole or not at all, so two processes may do this at once.
 */
export async function unpackDebianPackage(packageName: string, folder: string): Promise<void> {
  await mkdir(join(folder, '..'), { recursive: true });
  const work = await mkdtemp(`${folder}.part-`);
  try {
    const { names, options } = await missingPackages(packageName, work);
    await run('apt-get', [...options, 'download', ...names], { cwd: work });
    const archives = (await readdir(work)).filter((file) => file.endsWith('.deb'));
    for (const archive of archives) await run('dpkg', ['-x', join(work, archive), join(work, 'root')]);
    await rename(join(work, 'root'), folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What `apt-get install` would bring; from the machine's package lists, or from private ones when it has none. */
async function missingPackages(packageName: string, work: string): Promise<{ names: string[]; options: string[] }> {
  const unsandboxed = ['-o', 'APT::Sandbox::User='];
  const names = await simulateInstall(packageName, unsandboxed).catch(() => []);
  if (names.length > 0) return { names, options: unsandboxed };
  const options = [...unsandboxed, '-o', `Dir::State::Lists=${join(work, 'lists')}`, '-o', `Dir::Cache=${join(work, 'apt')}`];
  await mkdir(join(work, 'lists', 'partial'), { recursive: true });
  await mkdir(join(work, 'apt', 'archives', 'partial'), { recursive: true });
  await run('apt-get', [...options, 'update'], { maxBuffer: 16 << 20 });
  return { names: await simulateInstall(packageName, options), options };
}

async function simulateInstall(packageName: string, options: string[]): Promise<string[]> {
  const { stdout } = await run('apt-get', [...options, '--simulate', '--no-install-recommends', 'install', packageName], {
    maxBuffer: 16 << 20,
  });
  return [...stdout.matchAll(/^Inst (\S+)/gm)].flatMap((match) => match[1] ?? []);
}
