import { render } from "preact";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/forms.css";
import "./styles/shell.css";
import "./theme";
import { App } from "./app";
import { speak } from "./i18n";
import { keepOutbox } from "./session/outboxes";

speak().then(() => {
  keepOutbox();
  render(<App />, document.getElementById("app") as HTMLElement);
});
