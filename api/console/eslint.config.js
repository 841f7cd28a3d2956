import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import ts from 'typescript-eslint';

/** Words that people read are in the catalogue, never in a component. */
const catalogue = {
  rules: {
    'no-words': {
      create: (context) => ({
        JSXText(node) {
          if (/\p{L}{2}/u.test(node.value)) {
            context.report({ node, message: 'put the words into src/i18n' });
          }
        },
        JSXAttribute(node) {
          const said = ['title', 'label', 'placeholder', 'aria-label', 'alt'];
          if (
            said.includes(node.name.name) &&
            node.value?.type === 'Literal' &&
            /\p{L}{2}/u.test(node.value.value)
          ) {
            context.report({ node, message: 'put the words into src/i18n' });
          }
        },
      }),
    },
  },
};

export default ts.config(
  { ignores: ['dist', 'embedded', 'src/api/schema.d.ts'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  hooks.configs.flat['recommended-latest'] ?? hooks.configs.flat.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    plugins: { catalogue },
    rules: {
      'catalogue/no-words': 'error',
      'max-lines': ['error', { max: 200, skipBlankLines: true, skipComments: true }],
      'react-hooks/incompatible-library': 'off',
    },
  },
  { files: ['src/i18n/*.ts'], rules: { 'max-lines': 'off' } },
  { files: ['**/*.{js,mjs}'], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
);
