export { encodeJoinLink, isJoinLink, type JoinLink, parseJoinLink } from './link/join-link.js';
