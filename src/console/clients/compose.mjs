// Writes schema.json: the types of both client packages as one OpenAPI document, made from the published ones.
//
//   node compose.mjs [--check]
//
// SQL and HTTP show an account and a message with different extras (a row has no sentence for people, the API no
// column of the daemon's). A client has one type for both, with the fields that both have.
import { readFileSync, writeFileSync } from "node:fs";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const api = read("../openapi.json");
const events = read("../../../sql/schemas/events.json");
const commands = read("../../../sql/schemas/commands.json");

// What only a validator of values needs: types cannot say it, and generators stumble over it.
const NO_TYPE = ["if", "then", "else", "not", "pattern", "examples", "example", "default", "format", "oneOf",
  "additionalProperties"];
const LIMITS = ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems"];

const schemas = {};
const ref = (name) => ({ $ref: `#/components/schemas/${name}` });

/** `session.wrong_phone` is SessionWrongPhone. */
const typeName = (kind) => kind.replace(/(?:^|[._])(\w)/g, (_, letter) => letter.toUpperCase());

/** The schema without what is no type, in all depths. */
function typed(schema) {
  if (Array.isArray(schema)) return schema.map(typed);
  if (schema === null || typeof schema !== "object") return schema;
  const kept = Object.entries(schema).filter(([key]) => !NO_TYPE.includes(key) && !LIMITS.includes(key));
  const type = Object.fromEntries(
    kept.map(([key, value]) => [
      key,
      key === "properties" ? Object.fromEntries(Object.entries(value).map(([name, of]) => [name, typed(of)])) : typed(value),
    ]),
  );
  // Written for words alone, the documents leave the type of their enums out.
  if (type.enum && !type.type) type.type = type.enum.includes(null) ? ["string", "null"] : "string";
  if (typeof type.const === "boolean") type.type = "boolean";
  return type;
}

/** A schema of the API's, with these of its fields; each of them is there, if only as null. */
function picked(name, fields) {
  const { properties, description } = api.components.schemas[name];
  const missing = fields.filter((field) => !properties[field]);
  if (missing.length > 0) throw new Error(`${name} of the API has no ${missing.join(", ")}`);
  return {
    type: "object",
    description,
    properties: Object.fromEntries(fields.map((field) => [field, typed(properties[field])])),
    required: fields,
  };
}

schemas.Account = picked("Account", [
  "id", "operatorId", "label", "tags", "status", "statusReason", "statusSince", "nextRetryAt", "desired", "desiredPhone",
  "phoneNumber", "lastPhoneNumber", "hasKeys", "deviceName", "presence", "pairDeadline", "sendingPausedUntil", "createdAt",
]);
schemas.Command = picked("CommandEnd", ["id", "accountId", "kind", "state", "result", "createdAt", "doneAt"]);
schemas.Command.properties.state = { type: "string", enum: ["queued", "running", "done", "failed"] };

// What a message says, as `message_bodies.content`. No other document has it as a schema; sql/README.md describes it.
const optional = (type) => ({ type: [type, "null"] });
const object = (properties, required = []) => ({ type: "object", properties, required });
schemas.SaidFile = object({
  mime: optional("string"), bytes: optional("integer"), caption: optional("string"), fileName: optional("string"),
  seconds: optional("integer"), width: optional("integer"), height: optional("integer"), voice: optional("boolean"),
});
schemas.SaidCard = object({ name: optional("string"), vcard: { type: "string" } }, ["vcard"]);
const target = { messageId: optional("integer"), waId: optional("string") };
schemas.SaidText = object({ body: { type: "string" }, mentions: { ...optional("array"), items: { type: "string" } } }, ["body"]);
schemas.SaidReaction = object({ ...target, emoji: { type: "string" } }, ["emoji"]);
schemas.SaidEdit = object({ ...target, body: { type: "string" } }, ["body"]);
schemas.SaidRevoke = object(target);
schemas.SaidLocation = object(
  { latitude: { type: "number" }, longitude: { type: "number" }, name: optional("string"), address: optional("string") },
  ["latitude", "longitude"],
);
schemas.SaidUnsupported = object({ what: optional("string") });
const FILES = ["image", "video", "audio", "document", "sticker"];
const kinds = api.components.schemas.Message.properties.kind.enum.filter((kind) => kind !== null);
for (const kind of kinds) {
  const said = FILES.includes(kind) ? "SaidFile" : `Said${typeName(kind)}`;
  if (kind !== "contacts" && !schemas[said]) throw new Error(`compose.mjs does not know what a message of the kind ${kind} says`);
  schemas[`${typeName(kind)}Content`] = object(
    {
      type: { type: "string", const: kind },
      [kind]: kind === "contacts" ? { type: "array", items: ref("SaidCard") } : ref(said),
      replyTo: { ...optional("integer"), description: "The id of the message that it answers." },
    },
    ["type", kind],
  );
}
schemas.Content = { oneOf: kinds.map((kind) => ref(`${typeName(kind)}Content`)), description: "What a message says." };
schemas.Message = picked("Message", [
  "id", "accountId", "direction", "chat", "chatPhone", "sender", "senderPhone", "waId", "kind", "refersTo", "state", "reason",
  "code", "key", "notBefore", "expiresAt", "sentAt", "deliveredAt", "readAt", "recoveredAt", "createdAt", "content",
]);
schemas.Message.properties.content = { oneOf: [ref("Content"), { type: "null" }], description: "Null when it is not kept any more." };

// What is sent: of the API's fields the one that `type` names, so that a compiler finds the others.
const { properties: toSend } = api.components.schemas.NewMessage;
for (const kind of toSend.type.enum) {
  const body = `New${typeName(kind)}`;
  schemas[body] = typed(api.components.schemas[body]);
  schemas[`New${typeName(kind)}Message`] = {
    type: "object",
    properties: {
      to: typed(toSend.to),
      type: { type: "string", const: kind },
      [kind]: ref(body),
      ...(["text", "location"].includes(kind) ? { replyTo: typed(toSend.replyTo) } : {}),
    },
    required: ["to", "type", kind],
  };
}
schemas.NewMessage = { oneOf: toSend.type.enum.map((kind) => ref(`New${typeName(kind)}Message`)), description: "A message as it is sent." };

const HEAD = ["id", "accountId", "seq", "createdAt"];
const head = picked("EventHead", HEAD);
// The live stream has the payload's fields beside these.
const BESIDE = [...HEAD, "type", "eventText", "tone", "reasonText"];
for (const [kind, payload] of Object.entries(events.$defs)) {
  const taken = Object.keys(payload.properties).filter((field) => BESIDE.includes(field));
  if (taken.length > 0) throw new Error(`${kind} has a payload with ${taken}, which the live stream needs for itself`);
  schemas[`${typeName(kind)}Payload`] = typed(payload);
  schemas[`${typeName(kind)}Event`] = {
    type: "object",
    description: payload.description,
    properties: { kind: { type: "string", const: kind }, payload: ref(`${typeName(kind)}Payload`), ...head.properties },
    required: ["kind", "payload", ...HEAD],
  };
}
schemas.Event = { oneOf: Object.keys(events.$defs).map((kind) => ref(`${typeName(kind)}Event`)), description: "Something that happened to an account." };

for (const [kind, args] of Object.entries(commands.$defs)) schemas[`${typeName(kind)}Args`] = typed(args);
schemas.CommandArgs = {
  type: "object",
  description: "The arguments of each kind of command.",
  properties: Object.fromEntries(Object.keys(commands.$defs).map((kind) => [kind, ref(`${typeName(kind)}Args`)])),
  required: Object.keys(commands.$defs),
};

const document = { openapi: api.openapi, info: { title: "paird clients", version: api.info.version }, paths: {}, components: { schemas } };
const text = `${JSON.stringify(document, null, 2)}\n`;
const file = new URL("schema.json", import.meta.url);
if (!process.argv.includes("--check")) {
  writeFileSync(file, text);
} else if (readFileSync(file, "utf8") !== text) {
  console.error("src/console/clients/schema.json is not made from the published schemas: run .ci/clients types and commit it");
  process.exitCode = 1;
}
