// @huggingface/inference on every task that a hosted model can do, against the reference answers of transformers' pipelines.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Hosted } from "./hosted.mjs";

let hosted, InferenceClient;
const near = (got, wanted) => assert.ok(Math.abs(got - wanted) < 1e-3, `${got} is not ${wanted}`);

before(async () => {
  hosted = await Hosted.open();
  ({ InferenceClient } = await import("@huggingface/inference"));
});
after(() => hosted?.close());

const at = (name) => new InferenceClient(hosted.token, { endpointUrl: `${hosted.url}/models/${name}` });
const plain = (task, keys) => hosted.golden(task).find((one) => typeof one.args[0] === "string" && Object.keys(one.kwargs).every((key) => keys.includes(key)));

test("text classification", async () => {
  const wanted = plain("text-classification", ["truncation"]);
  const got = await at(hosted.tiny("text-classification")).textClassification({ inputs: wanted.args[0] });
  const best = wanted.output.flat()[0];
  near(got.find((one) => one.label === best.label).score, best.score);
});

test("token classification", async () => {
  const wanted = hosted.golden("token-classification").find((one) => one.kwargs.aggregation_strategy === "simple") ?? hosted.golden("token-classification")[0];
  const got = await at(hosted.tiny("token-classification")).tokenClassification({ inputs: wanted.args[0], parameters: { aggregation_strategy: "simple" } });
  for (const one of got) assert.ok(one.entity_group && one.score > 0 && one.end > one.start);
});

test("fill-mask", async () => {
  const wanted = plain("fill-mask", []);
  const got = await at(hosted.tiny("fill-mask")).fillMask({ inputs: wanted.args[0] });
  assert.equal(got[0].token_str, wanted.output[0].token_str);
  near(got[0].score, wanted.output[0].score);
});

test("zero-shot classification", async () => {
  const wanted = hosted.golden("zero-shot-classification").find((one) => typeof one.args[0] === "string" && !one.kwargs.multi_label);
  const got = await at(hosted.tiny("zero-shot-classification")).zeroShotClassification({ inputs: wanted.args[0], parameters: { candidate_labels: wanted.kwargs.candidate_labels } });
  assert.deepEqual([...got.map((one) => one.label)].sort(), [...wanted.output.labels].sort());
});

test("feature extraction and sentence similarity", async () => {
  const client = at(hosted.tiny("feature-extraction"));
  const got = await client.featureExtraction({ inputs: "one text" });
  assert.ok(Array.isArray(got) && got.flat(3).every((number) => typeof number === "number"));
  const scores = await client.sentenceSimilarity({ inputs: { source_sentence: "a", sentences: ["a", "b"] } });
  near(scores[0], 1);
  assert.equal(scores.length, 2);
});

test("images are classified and speech is written down", async () => {
  const image = hosted.golden("image-classification")[0];
  const labels = await at(hosted.tiny("image-classification")).imageClassification({ data: hosted.file("image-classification", image.args[0]) });
  assert.equal(labels[0].label, image.output[0].label);
  near(labels[0].score, image.output[0].score);
  const sound = hosted.golden("automatic-speech-recognition-ctc")[0];
  const spoken = await at(hosted.tiny("automatic-speech-recognition-ctc")).automaticSpeechRecognition({ data: hosted.file("automatic-speech-recognition-ctc", sound.args[0]) });
  assert.equal(spoken.text, sound.output.text);
});

test("text generation, whole and streamed", async () => {
  const client = at(hosted.tiny("text-generation"));
  const call = { inputs: "The quick brown", parameters: { max_new_tokens: 6, temperature: 0 } };
  const whole = await client.textGeneration(call);
  let text = "";
  // This client asks /v1/completions by now, whatever the types of its pieces say.
  for await (const piece of client.textGenerationStream(call)) text += piece.choices[0].text;
  assert.equal(text, whole.generated_text);
});

test("chat, whole and streamed, and its tools", async () => {
  const client = at(hosted.tooled());
  const call = { messages: [{ role: "user", content: "What is the capital of France?" }], temperature: 0, max_tokens: 10 };
  const whole = await client.chatCompletion(call);
  let text = "";
  for await (const chunk of client.chatCompletionStream(call)) text += chunk.choices[0]?.delta.content ?? "";
  assert.equal(text, whole.choices[0].message.content);
  const tools = [{ type: "function", function: { name: "choose", parameters: { type: "object", properties: { city: { enum: ["Paris", "Rome"] } }, required: ["city"] } } }];
  const called = await client.chatCompletion({ ...call, tools, tool_choice: "required", max_tokens: 40 });
  assert.equal(called.choices[0].message.tool_calls[0].function.name, "choose");
});

test("what a model cannot do is an error that says so", async () => {
  await assert.rejects(at("ada/fill-mask").textGeneration({ inputs: "x" }), /./);
  await assert.rejects(at("ada/nothing").fillMask({ inputs: "x" }), (error) => /not exist|Not Found|404/.test(String(error.message) + String(error.httpResponse?.status)));
});
