import { render } from "preact";
import { App } from "./app/app";
import { applyTheme } from "./app/theme";
import { startRouter } from "./app/router";
import "./style/tokens.css";
import "./style/base.css";
import "./style/ui.css";
import "./style/shell.css";

applyTheme();
startRouter();
const root = document.getElementById("app");
if (root) render(<App />, root);
