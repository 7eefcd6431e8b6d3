'use strict';

/**
 * TypeScript sources import their neighbours as `./x.js`. Only when no such file exists is the
 * `.ts` beside it meant; a blanket name mapping would also rewrite imports inside dependencies.
 */
module.exports = (request, options) => {
  const relativeScript = request.startsWith('.') && request.endsWith('.js');
  if (!relativeScript || options.basedir.includes('/node_modules/')) return options.defaultResolver(request, options);
  const stem = request.slice(0, -'.js'.length);
  for (const candidate of [request, `${stem}.ts`, `${stem}.tsx`]) {
    try {
      return options.defaultResolver(candidate, options);
    } catch (error) {
      if (candidate.endsWith('.tsx')) throw error;
    }
  }
  return undefined;
};
