// What the binary holds: each built file, and beside it the same compressed with brotli.
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const from = join(root, 'dist');
const to = join(root, 'embedded');

for (const name of readdirSync(to)) {
  if (name !== '.gitignore') rmSync(join(to, name), { recursive: true });
}

let first = 0;
const page = readFileSync(join(from, 'index.html'), 'utf8');
for (const entry of readdirSync(from, { recursive: true })) {
  const source = join(from, entry);
  if (!statSync(source).isFile()) continue;
  const bytes = readFileSync(source);
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  const small = brotliCompressSync(bytes, options);
  const target = join(to, relative(from, source));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, bytes);
  writeFileSync(`${target}.br`, small);
  if (entry === 'index.html' || page.includes(entry.replaceAll('\\', '/'))) first += small.length;
}

const limit = 200_000;
console.log(`first load: ${first} bytes compressed, of ${limit}`);
if (first > limit) process.exit(1);
