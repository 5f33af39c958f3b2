/** Reading the two files of the contract. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, YAMLParseError } from 'yaml';

/** A fault of what people write, and not of this program: told in one line. */
export class ContractError extends Error {}

/** A file of this folder, parsed. @throws ContractError if it is not YAML */
export function readContract(name: string): unknown {
  try {
    return parse(readFileSync(join(__dirname, name), 'utf8'));
  } catch (error) {
    if (error instanceof YAMLParseError) throw new ContractError(`spec/${name}: ${error.message}`);
    throw error;
  }
}

/** What the stubs of a new clause say of themselves, until somebody writes them. */
export const UNWRITTEN = 'is not written yet';
