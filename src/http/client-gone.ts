/** The client went away before it sent all of its request, or before it took all of its reply. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}
