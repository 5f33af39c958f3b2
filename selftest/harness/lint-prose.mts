/**
 * Part of `npm run lint`: the words of README, docs, clauses, hints, CI files and all that the report says, by the rules of
 * docs/wording.yml. Nothing is fetched. Of YAML the strings and comments are read; of TypeScript strings, templates and comments,
 * of checks and fixtures comments alone.
 * Prose and YAML that people edit have no line of more than 140 characters; of code ESLint says the same.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TextlintKernel, type TextlintPluginCreator, type TextlintRuleModule } from '@textlint/kernel';
import type * as TypeScript from 'typescript';
import { isScalar, parseDocument, visit } from 'yaml';

// Required, not imported: the loader would first search nine megabytes for exports.
const load = createRequire(import.meta.url);
const ts = load('typescript') as typeof TypeScript;
const markdown = load('@textlint/textlint-plugin-markdown') as { readonly default: TextlintPluginCreator };
const plain = load('@textlint/textlint-plugin-text') as { readonly default: TextlintPluginCreator };
const prh = load('textlint-rule-prh') as { readonly default: TextlintRuleModule };

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RULES = readFileSync(join(ROOT, 'docs/wording.yml'), 'utf8');
const kernel = new TextlintKernel();

/** Some words of a file, and where they begin in it. */
interface Piece {
  readonly at: number;
  readonly text: string;
}

const FILES = [
  ...['README.md', '.env.example', 'spec/requirements.yaml', 'report/hints.yaml', 'ci/Dockerfile', 'ci/gitlab.yml'],
  ...['docs', 'report', 'report/outputs', '.github/workflows', '.gitea/workflows'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => /\.(md|yml|ts|eta)$/.test(name) && !['wording.yml', 'kill-matrix.md'].includes(name))
      .map((name) => `${folder}/${name}`),
  ),
];

/** Of these only the comments. */
const COMMENTED = ['tests', 'tests/support', ...foldersIn('fixtures'), 'spec'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`),
);

function foldersIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`);
}

/** Comments from `#` to the end of the line: those of shells, YAML, `.env` and a Dockerfile. */
function hashComments(source: string): Piece[] {
  return [...source.matchAll(/(?:^[ \t]*#.*\n?)+/gm)].map((match) => ({
    at: match.index,
    text: match[0].replace(/^[ \t]*#/gm, ''),
  }));
}

/** Strings of more than one word, but for regular expressions over what a check reports. */
function yamlPieces(source: string): Piece[] {
  const pieces = hashComments(source);
  visit(parseDocument(source), {
    Pair: (_, { key }) => (isScalar(key) && key.value === 'seen' ? visit.SKIP : undefined),
    Scalar: (_, { value, range }) => {
      if (typeof value === 'string' && value.includes(' ')) pieces.push({ at: range?.[0] ?? 0, text: value });
    },
  });
  return pieces;
}

/** The comments before a node, without what marks them. */
function commentsOf(source: string, node: TypeScript.Node): Piece[] {
  return (ts.getLeadingCommentRanges(source, node.getFullStart()) ?? []).map(({ pos, end }) => ({
    at: pos,
    text: source.slice(pos, end).replace(/^\s*(?:\/\*\*?|\/\/|\*\/?)|\*\/$/gm, ''),
  }));
}

/** @param strings whether they are read, too, or comments alone */
function typescriptPieces(source: string, strings = true): Piece[] {
  const pieces: Piece[] = [];
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const comments = new Set<number>();
  const walk = (node: TypeScript.Node): void => {
    for (const comment of commentsOf(source, node)) {
      if (comments.has(comment.at)) continue;
      comments.add(comment.at);
      pieces.push(comment);
    }
    if (strings && ts.isStringLiteralLike(node)) pieces.push({ at: node.getStart(), text: node.text });
    else if (strings && ts.isTemplateExpression(node)) {
      const text = [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…');
      pieces.push({ at: node.getStart(), text });
    }
    ts.forEachChild(node, walk);
  };
  walk(file);
  return pieces.filter(({ text }) => text.trim().includes(' '));
}

/** A template of the page, without its code and its tags. */
function templatePieces(source: string): Piece[] {
  return [...source.matchAll(/(?:<%[^]*?%>|<[^>]*>|[^<])+/g)].flatMap((block) =>
    [...block[0].replace(/<%[^]*?%>|<[^>]*>/g, (code) => code.replace(/[^\n]/g, ' ')).matchAll(/[^\n]+/g)].map(
      (line) => ({ at: block.index + line.index, text: line[0] }),
    ),
  );
}

const PIECES: Readonly<Record<string, (source: string) => Piece[]>> = {
  '.ts': typescriptPieces,
  '.eta': templatePieces,
  '.yaml': yamlPieces,
  '.yml': yamlPieces,
};

/** Where a line of what textlint reads comes from, as `file:line`. */
type Origins = readonly string[];

/** The words of a file, a line for each piece: what stands on several lines there is one sentence here. */
function linesOf(
  name: string,
  source: string,
  read = PIECES[extname(name)] ?? hashComments,
): { readonly lines: readonly string[]; readonly origins: Origins } {
  const pieces = read(source);
  return {
    lines: pieces.map(({ text }) => text.replace(/`[^`]*`/g, '…').replace(/\s+/g, ' ')),
    origins: pieces.map(({ at }) => `${name}:${String(source.slice(0, at).split('\n').length)}`),
  };
}

async function lint(ext: string, text: string, origin: (line: number) => string): Promise<void> {
  const { messages } = await kernel.lintText(text, {
    ext,
    plugins: [
      { pluginId: 'markdown', plugin: markdown.default },
      { pluginId: 'text', plugin: plain.default },
    ],
    rules: [
      {
        ruleId: 'prh',
        rule: prh.default,
        options: { ruleContents: [RULES], checkEmphasis: true, checkLink: true, checkBlockQuote: true },
      },
    ],
  });
  for (const { message, loc } of messages) {
    console.error(`${origin(loc.start.line)}: ${message} (docs/wording.yml)`);
    process.exitCode = 1;
  }
}

/** Characters of a line. */
const WIDTH = 140;

/** Lines that are too long, but for what cannot be wrapped: the row of a table, and the pattern of a rule. */
function lintWidth(name: string, source: string): void {
  for (const [i, line] of source.split('\n').entries()) {
    if (Array.from(line).length <= WIDTH || /^\s*(?:\||pattern: |https?:\/\/\S+$)/.test(line)) continue;
    console.error(`${name}:${String(i + 1)}: more than ${String(WIDTH)} characters: wrap the line`);
    process.exitCode = 1;
  }
}

const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const isMarkdown = (name: string): boolean => extname(name) === '.md';

for (const name of FILES.filter(isMarkdown)) await lint('.md', read(name), (line) => `${name}:${String(line)}`);
for (const name of [...FILES, 'spec/openapi.yaml', 'docs/wording.yml'])
  if (/\.(?:md|ya?ml)$|Dockerfile|\.env/.test(name) && name !== 'docs/requests.md') lintWidth(name, read(name));
const others = [
  ...FILES.filter((name) => !isMarkdown(name)).map((name) => linesOf(name, read(name))),
  ...COMMENTED.map((name) => linesOf(name, read(name), (source) => typescriptPieces(source, false))),
];
const origins = others.flatMap((other) => other.origins);
await lint('.txt', others.flatMap(({ lines }) => lines).join('\n'), (line) => origins[line - 1] ?? '');
