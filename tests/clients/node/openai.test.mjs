// The openai package against our doors: chat, stream, tools, embeddings, responses, moderations, files and batches, errors.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Hosted } from "./hosted.mjs";

let hosted, client, OpenAI, tooled, embedder, writer;
const question = [{ role: "user", content: "What is the capital of France?" }];
const weather = { name: "get_weather", description: "Weather of a city", parameters: { type: "object", additionalProperties: false,
  properties: { city: { enum: ["Paris", "Rome"] } }, required: ["city"] } };

before(async () => {
  hosted = await Hosted.open();
  OpenAI = (await import("openai")).default;
  client = new OpenAI({ baseURL: hosted.url + "/v1", apiKey: hosted.token, maxRetries: 0, timeout: 120_000 });
  tooled = hosted.tooled();
  embedder = hosted.tiny("feature-extraction");
  writer = hosted.tiny("text-generation");
});
after(() => hosted?.close());

test("a turn is the same whole and streamed", async () => {
  const call = { model: tooled, messages: question, temperature: 0, max_tokens: 12 };
  const whole = await client.chat.completions.create(call);
  assert.equal(whole.object, "chat.completion");
  let text = "", reason, usage;
  for await (const chunk of await client.chat.completions.create({ ...call, stream: true, stream_options: { include_usage: true } })) {
    text += chunk.choices[0]?.delta.content ?? "";
    reason = chunk.choices[0]?.finish_reason ?? reason;
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(reason, whole.choices[0].finish_reason);
  assert.deepEqual(usage, whole.usage);
  const helper = client.chat.completions.stream(call);
  assert.equal(await helper.finalContent(), text);
});

test("a stream that is left ends, and the next call is answered", async () => {
  const stream = await client.chat.completions.create({ model: tooled, messages: question, max_tokens: 400, stream: true });
  for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
  const next = await client.chat.completions.create({ model: tooled, messages: question, max_tokens: 1 });
  assert.equal(next.usage.completion_tokens, 1);
});

test("a tool that must be called is called, whole and streamed", async () => {
  const call = { model: tooled, messages: question, tools: [{ type: "function", function: weather }], tool_choice: "required", max_tokens: 40, seed: 3 };
  const made = (await client.chat.completions.create(call)).choices[0].message.tool_calls[0];
  assert.equal(made.function.name, "get_weather");
  assert.ok(["Paris", "Rome"].includes(JSON.parse(made.function.arguments).city));
  const streamed = await client.chat.completions.stream(call).finalMessage();
  assert.equal(streamed.tool_calls[0].function.arguments, made.function.arguments);
});

test("embeddings come as numbers whatever the format", async () => {
  // The client asks for base64 where nothing is said.
  const plain = await client.embeddings.create({ model: embedder, input: ["one", "two"], encoding_format: "float" });
  const usual = await client.embeddings.create({ model: embedder, input: ["one", "two"] });
  assert.equal(usual.data.length, 2);
  usual.data.forEach((row, at) => row.embedding.forEach((number, i) => assert.ok(Math.abs(number - plain.data[at].embedding[i]) < 1e-6)));
});

test("completions, models and errors", async () => {
  const answer = await client.completions.create({ model: writer, prompt: "The quick brown", max_tokens: 4, temperature: 0 });
  assert.equal(answer.usage.completion_tokens, 4);
  const models = [];
  for await (const model of client.models.list()) models.push(model.id);
  assert.ok(models.includes(writer));
  assert.equal((await client.models.retrieve(writer)).id, writer);
  await assert.rejects(client.chat.completions.create({ model: "ada/nothing", messages: question }), (error) =>
    error instanceof OpenAI.NotFoundError && error.code === "model_not_found");
  await assert.rejects(client.chat.completions.create({ model: tooled, messages: question, temperature: 9 }), (error) =>
    error instanceof OpenAI.BadRequestError && error.param === "temperature");
  await assert.rejects(new OpenAI({ baseURL: hosted.url + "/v1", apiKey: "sk-nobody", maxRetries: 0 }).models.list(), OpenAI.AuthenticationError);
});

test("responses, whole and as events", async () => {
  const call = { model: tooled, input: "What is the capital of France?", temperature: 0, max_output_tokens: 12 };
  const whole = await client.responses.create(call);
  const events = [];
  for await (const event of await client.responses.create({ ...call, stream: true })) events.push(event);
  assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, at) => at));
  assert.equal(events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta).join(""), whole.output_text);
  const called = await client.responses.create({ ...call, tools: [{ type: "function", strict: true, ...weather }], tool_choice: { type: "function", name: "get_weather" }, max_output_tokens: 40 });
  assert.equal(called.output[0].type, "function_call");
});

test("a batch is handed in and its answers come back", async () => {
  const lines = [0, 1, 2].map((n) => JSON.stringify({ custom_id: `r${n}`, method: "POST", url: "/v1/completions", body: { model: writer, prompt: `Number ${n}`, max_tokens: 2 } }));
  const file = await client.files.create({ file: new File([lines.join("\n")], "in.jsonl"), purpose: "batch" });
  let batch = await client.batches.create({ input_file_id: file.id, endpoint: "/v1/completions", completion_window: "24h" });
  while (!["completed", "failed", "expired", "cancelled"].includes(batch.status)) {
    await sleep(50);
    batch = await client.batches.retrieve(batch.id);
  }
  assert.equal(batch.status, "completed");
  const answers = (await (await client.files.content(batch.output_file_id)).text()).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(answers.map((answer) => answer.custom_id), ["r0", "r1", "r2"]);
});
