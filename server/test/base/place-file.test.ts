import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepUnder, placeFile } from '../../src/base/place-file.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

let folder: TemporaryFolder;
let unfinished: string;
let file: string;

beforeEach(() => {
  folder = temporaryFolder();
  unfinished = join(folder.path, 'unfinished');
  file = join(folder.path, 'file');
  writeFileSync(unfinished, 'new');
});
afterEach(() => folder.remove());

describe('a file that is finished', () => {
  it('gets its name, and loses the one it had', () => {
    placeFile(unfinished, file, false);
    expect(readdirSync(folder.path)).toEqual(['file']);
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  it('takes the place of another only when it is told to', () => {
    writeFileSync(file, 'old');
    expect(() => placeFile(unfinished, file, false)).toThrow('is there already');
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(existsSync(unfinished)).toBe(true);
    placeFile(unfinished, file, true);
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(readdirSync(folder.path)).toEqual(['file']);
  });
});

describe('a file that is kept under another name', () => {
  it('is there under both, and is not what takes the first name later', () => {
    writeFileSync(file, 'old');
    keepUnder(file, join(folder.path, 'kept'));
    placeFile(unfinished, file, true);
    expect(readFileSync(join(folder.path, 'kept'), 'utf8')).toBe('old');
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  it('never takes the place of another', () => {
    writeFileSync(file, 'old');
    expect(() => keepUnder(unfinished, file)).toThrow('is there already');
    expect(readFileSync(file, 'utf8')).toBe('old');
  });
});
