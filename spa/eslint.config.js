import vue from 'eslint-plugin-vue'
import a11y from 'eslint-plugin-vuejs-accessibility'
import ts from 'typescript-eslint'

export default ts.config(
  { ignores: ['node_modules', 'src/shared/schema.d.ts', 'public'] },
  ...ts.configs.strict,
  ...ts.configs.stylistic,
  ...vue.configs['flat/recommended'],
  ...a11y.configs['flat/recommended'],
  {
    files: ['**/*.vue', '**/*.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: {
      'vue/multi-word-component-names': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': ['error', { html: { void: 'always', normal: 'never', component: 'always' } }],
      'vue/no-undef-components': ['error', { ignorePatterns: ['RouterLink', 'RouterView'] }],
      'vue/no-v-html': 'error',
      'vuejs-accessibility/label-has-for': ['error', { required: { some: ['nesting', 'id'] } }],
      'no-restricted-globals': ['error', { name: 'fetch', message: 'Ask the API through shared/http.ts alone.' }],
      'max-lines': ['error', 360],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true, IIFEs: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
  },
  { files: ['src/shared/http.ts'], rules: { 'no-restricted-globals': 'off' } },
  {
    // The laws: the audio engine knows no Vue, the queue no DOM.
    files: ['src/player/engine/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: ['vue', 'pinia', '@vueuse/*', '@/*'] }] },
  },
  {
    files: ['src/player/queue.ts', 'src/ring/circle.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: ['vue', 'pinia', '@vueuse/*'] }],
      'no-restricted-globals': ['error', 'window', 'document', 'localStorage', 'navigator'],
    },
  },
  { files: ['**/*.test.ts'], rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-non-null-assertion': 'off' } },
)
