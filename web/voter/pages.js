// Runs the page that the script finds itself on.

import { checkPage } from "./check.js";
import { findPage } from "./find.js";
import { paperPage } from "./paper.js";

const at = document.getElementById("sealed");
const page = at && { paper: paperPage, check: checkPage, find: findPage }[at.dataset.page];
if (page) page(at, JSON.parse(at.dataset.given));
