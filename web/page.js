"use strict";
// Tails one execution over tailgate.v1: the key goes in the first message, a lost connection resumes
// after the last sequence number seen, and lines are only ever set as text.
const $ = (id) => document.getElementById(id);
const LINES_MAX = 20000; // kept on the page
let socket = null, lastSeq = 0, retries = 0, ended = false;
let open = { o: null, e: null, s: null }; // the element that a line in parts goes on in

const say = (text) => { $("state").textContent = text; };

function addLine([time, stream, text, part]) {
  let element = open[stream];
  if (!element) {
    element = document.createElement("span");
    element.className = stream;
    element.title = new Date(time).toISOString();
    $("log").append(element);
  }
  element.textContent += part ? text : text + "\n";
  open[stream] = part ? element : null;
}

function addLines(message) {
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  message.lines.forEach((line, i) => {
    const seq = message.first + i;
    if (seq <= lastSeq) return;
    lastSeq = seq;
    addLine(line);
  });
  while (log.childElementCount > LINES_MAX) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function onMessage(id, message) {
  switch (message.type) {
    case "hello":
      socket.send(JSON.stringify({ type: "subscribe", execution_id: id, after: lastSeq }));
      break;
    case "subscribed": retries = 0; break;
    case "logs": addLines(message); break;
    case "live": say("live"); break;
    case "gap":
      lastSeq = message.to;
      addLine([Date.now(), "s", `lines ${message.from} to ${message.to} were removed by retention`, 0]);
      break;
    case "status": say(message.status); break;
    case "end":
      ended = true;
      say(`${message.status}, exit code ${message.exit_code}`);
      socket.close(1000);
      break;
    case "error":
      say(message.details || message.code);
      if (["DATABASE_ERROR", "SERVICE_UNAVAILABLE"].includes(message.code)) socket.close();
      else if (message.fatal || message.execution_id) ended = true;
      break;
  }
}

function connect(key, id) {
  const own = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/ws`, "tailgate.v1");
  socket = own;
  say("connecting …");
  own.onopen = () => own.send(JSON.stringify({ type: "auth", key }));
  own.onmessage = (event) => { if (socket === own) onMessage(id, JSON.parse(event.data)); };
  own.onclose = (event) => {
    if (socket !== own || ended) return;
    if (event.code === 4401 || event.code === 1008) { say(event.reason || "not allowed"); return; }
    const wait = Math.min(30000, 500 * 2 ** retries++) * (0.5 + Math.random());
    say(`connection lost, again in ${Math.ceil(wait / 1000)} s`);
    setTimeout(() => { if (socket === own) connect(key, id); }, wait);
  };
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const old = socket;
  socket = null;
  if (old) old.close(1000);
  lastSeq = retries = 0;
  ended = false;
  open = { o: null, e: null, s: null };
  $("log").replaceChildren();
  connect($("key").value.trim(), $("execution").value.trim());
});
$("execution").value = new URLSearchParams(location.search).get("execution_id") || "";
