// node componentize.mjs CORE WIT_FOLDER OUT: makes a wasi:http component of a core module. Run where jco is
// installed. The WIT files are put into one text, since jco reads no folders here.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(process.cwd() + '/'));
const { componentEmbed, componentNew } = await import(pathToFileURL(require.resolve('@bytecodealliance/jco')));
const [core, wit, out] = process.argv.slice(2);

let source = 'package bench:guest;\nworld guest { include wasi:http/proxy@0.2.12; }\n';
for (const file of readdirSync(`${wit}/deps`)) {
  const text = readFileSync(`${wit}/deps/${file}`, 'utf8');
  source += text.replace(/^package ([^;\n]+);/m, 'package $1 {') + '\n}\n';
}
const embedded = await componentEmbed({ binary: readFileSync(core), witSource: source, world: 'guest' });
writeFileSync(out, await componentNew(embedded, []));
