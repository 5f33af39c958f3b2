/** Writes report.schema.json, the published JSON Schema of a report: `npm run schema`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { jsonSchema } from './model.js';

export const SCHEMA_FILE = join(__dirname, 'report.schema.json');

/** The file as it should be. */
export function schemaText(): Promise<string> {
  return format(JSON.stringify(jsonSchema()), { parser: 'json', printWidth: 120 });
}

if (require.main === module)
  void schemaText().then((text) => {
    writeFileSync(SCHEMA_FILE, text);
  });
