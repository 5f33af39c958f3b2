import playwright from 'eslint-plugin-playwright';
import tseslint from 'typescript-eslint';

/** Imports run one way, see docs/architecture.md. */
const forbid = (...groups) => ({
  'no-restricted-imports': [
    'error',
    {
      patterns: groups.map((group) => ({ group: [group], message: 'Imports run one way, see docs/architecture.md.' })),
    },
  ],
});

const ABOVE_FIXTURES = ['**/tests/**', '**/report/**', '**/selftest/**'];

/** Folders of `root`, each of which sees only those before it. */
const layers = (root, folders) =>
  folders.map((folder, i) => ({
    files: [`${root}/${folder}/**`],
    rules: forbid(...ABOVE_FIXTURES, ...folders.slice(i + 1).map((later) => `../${later}/**`)),
  }));

export default tseslint.config(
  {
    ignores: [
      'node_modules',
      'spec/generated',
      'conformance-report',
      'playwright-report',
      'test-results',
      '.scratch',
      'report/outputs/report.client.js',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.mjs'] } } },
    rules: {
      // `env['NAME']` and `claims['exp']` say that the member may not be there; the compiler option asks for it too.
      '@typescript-eslint/dot-notation': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
      // A number in a template reads as it is; anything else there is a mistake.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        {
          allowNumber: true,
          allowAny: false,
          allowBoolean: false,
          allowNever: false,
          allowNullish: false,
          allowRegExp: false,
        },
      ],
      // Parts, checks and fixtures are objects of functions, handed around one by one: none of them has a `this`.
      '@typescript-eslint/unbound-method': 'off',
      // Claims and members come from a target: whatever they are, they are shown.
      '@typescript-eslint/no-base-to-string': 'off',
      // A ternary beside a ternary is not null-handling, and `||` is meant where an empty text counts as none.
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
    },
  },
  ...layers('fixtures', ['http', 'evidence', 'run', 'check', 'setup']),
  {
    files: ['fixtures/reference/**'],
    // Of fixtures/ nothing outside its own folder, under whatever spelling.
    rules: forbid(...ABOVE_FIXTURES, '../*.js', '../{http,evidence,run,check,setup}/**', '**/fixtures/**'),
  },
  {
    files: ['report/**'],
    rules: forbid(
      '**/tests/**',
      '**/selftest/**',
      '**/fixtures/{http,check,setup,reference}/**',
      '!**/fixtures/setup/configuration.js',
    ),
  },
  {
    files: ['fixtures/**', 'tests/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='BoundedTransport'][arguments.length=0]",
          message: 'Give it the way to the target, e.g. wayTo(check.target): without it a gateway refuses the request.',
        },
      ],
    },
  },
  // A file is read at a sitting. What is data by its nature, defect after defect, may be longer.
  {
    files: ['{tests,fixtures,report,spec,selftest}/**', '*.ts'],
    ignores: ['selftest/{defects,variants,drifts}/**'],
    rules: { 'max-lines': ['error', { max: 350, skipBlankLines: false, skipComments: false }] },
  },
  // Prettier wraps code; this is for what it leaves as it is, comments and strings. A regular expression cannot be wrapped.
  { rules: { 'max-len': ['error', { code: 140, ignoreRegExpLiterals: true }] } },
  { files: ['tests/*.ts'], rules: forbid('**/report/**', '**/selftest/**', '**/fixtures/{setup,reference}/**') },
  {
    files: ['tests/support/**'],
    rules: forbid('**/report/**', '**/selftest/**', '**/*.spec.js', '**/fixtures/{setup,reference}/**'),
  },
  { files: ['docs/**', '*.ts'], rules: forbid('**/tests/**', '**/selftest/**') },
  { files: ['spec/**'], rules: forbid('**/tests/**', '**/fixtures/**', '**/report/**', '**/selftest/**') },
  {
    files: ['tests/**', 'selftest/**/*.selftest.ts'],
    ...playwright.configs['flat/recommended'],
    // A check is declared by `clause`: for the plugin it is a test like any other.
    settings: { playwright: { globalAliases: { test: ['clause'] } } },
    rules: {
      ...playwright.configs['flat/recommended'].rules,
      // A check asks what this target is and was given (its key, leave to write, a browser): one path for all of them there is not.
      'playwright/no-conditional-in-test': 'off',
      'playwright/no-conditional-expect': 'off',
    },
  },
  // Checks also judge without a matcher: by a table of rows, over every answer seen, or with a finding of their own.
  { files: ['tests/**'], rules: { 'playwright/expect-expect': 'off' } },
  { files: ['eslint.config.mjs'], ...tseslint.configs.disableTypeChecked },
);
