import { ABSURD } from './constant-servers.js';
import { ACCESS } from './access.js';
import { ACCOUNTS } from './accounts.js';
import { ANSWERS } from './answers.js';
import type { Defect } from './defect.js';
import { CORNERS } from './corners.js';
import { INPUT } from './input.js';
import { TOKENS } from './tokens.js';

export const DEFECTS: readonly Defect[] = [
  ...ANSWERS,
  ...ACCOUNTS,
  ...TOKENS,
  ...ACCESS,
  ...INPUT,
  ...CORNERS,
  ...ABSURD,
];
