// A companion that a contact has linked to its phone: a real client of another family, with a Signal
// implementation of its own, against the sandbox. It says what happens as lines of JSON, among it the
// messages that it could decrypt, and writes the texts that it reads as lines of JSON:
// `{"to": "4366…", "text": "…"}`.
//
//     node contact.mjs ws://127.0.0.1:…/ws/chat

import { createInterface } from "node:readline";
import { Curve, DisconnectReason, WA_CERT_DETAILS, initAuthCreds, makeWASocket } from "@whiskeysockets/baileys";

const url = process.argv[2];

// The sandbox's certificates are signed, but not by WhatsApp's key, which nobody else has.
const verify = Curve.verify;
Curve.verify = (key, ...signed) => key === WA_CERT_DETAILS.PUBLIC_KEY || verify(key, ...signed);

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const complain = (...what) => process.stderr.write(`${what.map((one) => (one instanceof Error ? one.stack : JSON.stringify(one))).join(" ")}\n`);
const silent = () => {};
const logger = {
    level: "silent",
    child: () => logger,
    trace: silent,
    debug: silent,
    info: silent,
    warn: complain,
    error: complain,
};

/** Keys in memory: the companion lives as long as its test. */
const records = new Map();
const auth = {
    creds: initAuthCreds(),
    keys: {
        get: async (kind, ids) => {
            const found = ids.map((id) => [id, records.get(`${kind} ${id}`)]);
            return Object.fromEntries(found.filter(([, value]) => value !== undefined));
        },
        set: async (data) => {
            for (const [kind, values] of Object.entries(data)) {
                for (const [id, value] of Object.entries(values)) {
                    if (value === null || value === undefined) records.delete(`${kind} ${id}`);
                    else records.set(`${kind} ${id}`, value);
                }
            }
        },
    },
};

/** What a person would see; a message that could not be decrypted has nothing. */
function summary({ key, message }) {
    const edited = message?.protocolMessage?.editedMessage ?? message?.editedMessage?.message?.protocolMessage?.editedMessage;
    const shown = edited ?? message;
    const about = message?.reactionMessage?.key ?? message?.protocolMessage?.key;
    return {
        id: key.id,
        text: shown?.conversation ?? shown?.extendedTextMessage?.text ?? null,
        reaction: message?.reactionMessage?.text ?? null,
        place: message?.locationMessage?.degreesLatitude ?? null,
        about: about?.id ?? shown?.extendedTextMessage?.contextInfo?.stanzaId ?? null,
    };
}

let socket;
const opened = withResolvers();

function withResolvers() {
    const made = {};
    made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
    return made;
}

function connect() {
    socket = makeWASocket({
        waWebSocketUrl: url,
        auth,
        logger,
        markOnlineOnConnect: false,
        syncFullHistory: false,
        shouldSyncHistoryMessage: () => false,
    });
    socket.ev.on("creds.update", (changed) => Object.assign(auth.creds, changed));
    socket.ev.on("messages.upsert", ({ messages }) => messages.forEach((message) => say({ message: summary(message) })));
    socket.ev.on("connection.update", ({ connection, lastDisconnect, qr }) => {
        if (qr) say({ qr });
        if (connection === "open") {
            say({ open: socket.user.id });
            opened.resolve();
        }
        if (connection === "close") {
            const code = lastDisconnect?.error?.output?.statusCode;
            // After a scan WhatsApp asks each client to connect again.
            if (code === DisconnectReason.restartRequired) connect();
            else {
                complain(lastDisconnect?.error);
                process.exit(1);
            }
        }
    });
}

connect();
await opened.promise;
for await (const line of createInterface({ input: process.stdin })) {
    const { to, text } = JSON.parse(line);
    const sent = await socket.sendMessage(`${to}@s.whatsapp.net`, { text });
    say({ sent: sent.key.id });
}
process.exit(0);
