import { ErrorCode, LIMITS } from '@sotto/protocol';
import { RpcError } from '@sotto/platform/rpc';

// The most common passwords of at least 10 characters in published breaches, lower case.
const COMMON = new Set(
  `1234567890 12345678910 123456789a a123456789 0123456789 1234567891 9876543210 0987654321 1111111111 0000000000 1q2w3e4r5t
  1qaz2wsx3edc qwertyuiop qwerty12345 qwerty123456 qwertyuiop123 asdfghjkl1 asdfghjkl; zxcvbnm123 password12 password123 password1234
  password12345 passw0rd123 p@ssw0rd123 iloveyou12 iloveyou123 letmein123 welcome123 welcome1234 administrator changeme123
  football123 baseball123 superman123 sunshine123 princess123 basketball abcdefghij abcd123456 abc1234567 aaaaaaaaaa q1w2e3r4t5
  1g2w3e4r5t 147258369a 741852963a 123123123123 1231231231 1122334455 9999999999 7777777777 5555555555 12qwaszx12 qazwsxedcr
  qazwsxedc123 test123456 user123456 admin123456 adminadmin passwordpassword correcthorsebatterystaple`.split(/\s+/),
);

export function passwordFits(password: string): boolean {
  return Buffer.byteLength(password) <= LIMITS.passwordMaxBytes;
}

/** Throws RpcError WEAK_PASSWORD or TOO_LARGE. */
export function assertGoodPassword(password: string): void {
  if (!passwordFits(password)) throw new RpcError(ErrorCode.TOO_LARGE, `A password has at most ${LIMITS.passwordMaxBytes} bytes.`);
  if (Buffer.byteLength(password) < LIMITS.passwordMinBytes) {
    throw new RpcError(ErrorCode.WEAK_PASSWORD, `A password has at least ${LIMITS.passwordMinBytes} bytes; choose a longer one.`);
  }
  if (COMMON.has(password.toLowerCase())) {
    throw new RpcError(ErrorCode.WEAK_PASSWORD, 'This is one of the most common passwords; choose another.');
  }
}
