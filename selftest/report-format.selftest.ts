import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { SCHEMA_FILE, schemaText } from '../report/schema.js';

test('the published JSON Schema of a report is what the model says', async () => {
  expect(readFileSync(SCHEMA_FILE, 'utf8'), 'run `npm run schema`').toBe(await schemaText());
});
