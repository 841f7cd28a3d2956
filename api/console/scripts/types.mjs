// The types of the api, made of its committed document before each build and check: where the
// document has changed in a way that the console does not stand, the compiler says where.
import { writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const types = astToString(await openapiTS(new URL('../../openapi.json', import.meta.url)));
writeFileSync(new URL('../src/api/schema.d.ts', import.meta.url), types);
