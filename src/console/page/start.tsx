/** The console's page begins here. */
import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import { App } from "./app.tsx";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/parts.css";

render(<App />, document.getElementById("console") as HTMLElement);
