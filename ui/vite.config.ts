import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// Everything is served from /static/ of the program itself and nothing is inlined, so that the strict
// Content-Security-Policy of src/page/pages.cpp holds.
export default defineConfig({
  base: "/static/",
  plugins: [svelte()],
  cacheDir: "../build/ui/cache",
  build: {
    outDir: "../build/ui/dist",
    emptyOutDir: true,
    assetsDir: "a",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080", "/v1": "http://127.0.0.1:8080" } },
});
