import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds the api. */
const api = process.env.API ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/console/',
  plugins: [react(), tailwindcss()],
  build: { outDir: 'dist', target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  preview: { proxy: { '/v1': api, '/openapi.json': api } },
  server: { proxy: { '/v1': api, '/openapi.json': api } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
