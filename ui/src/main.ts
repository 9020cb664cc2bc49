import "./design/fonts.css";
import "./design/tokens.css";
import "./design/base.css";
import "./design/shapes.css";
import { mount } from "svelte";
import App from "./app/App.svelte";

const target = document.getElementById("app");
if (target) mount(App, { target });
