#!/usr/bin/env node
// Stands before the build, so that npm links the command at the first installation.
import '../dist/bundle/sotto.js';
