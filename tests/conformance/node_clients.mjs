// Calls a server through @grpc/grpc-js and @connectrpc/connect-web: Connect in both codecs and by GET,
// and gRPC-Web. Arguments: the server's HOST:PORT, a FileDescriptorSet. Prints one line a client.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';

const [address, descriptors] = process.argv.slice(2);
const require = createRequire(process.cwd() + '/package.json');
const load = name => import(pathToFileURL(require.resolve(name)));
const {createFileRegistry, fromBinary} = await load('@bufbuild/protobuf');
const {FileDescriptorSetSchema} = await load('@bufbuild/protobuf/wkt');
const {createClient, ConnectError, Code} = await load('@connectrpc/connect');
const {createConnectTransport, createGrpcWebTransport} = await load('@connectrpc/connect-web');
const grpc = (await load('@grpc/grpc-js')).default;
const loader = (await load('@grpc/proto-loader')).default;

const set = readFileSync(descriptors);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
const service = registry.getService('waybill.inventory.v1.InventoryService');
const errorInfo = registry.getMessage('google.rpc.ErrorInfo');
const baseUrl = `http://${address}`;

async function through(name, transport) {
  const client = createClient(service, transport);
  const id = name.replace(/[^a-z]/g, '-');
  await client.receiveStock({receiptId: id, sku: id, quantity: 10n});
  const {reservation} = await client.reserve({reservationId: id, lines: [{sku: id, quantity: 4n}]});
  const {stock} = await client.getStock({sku: id});
  if (reservation.reservationId !== id || stock.available !== 6n)
    throw new Error(`${name}: ${stock.available} available`);
  try {
    await client.reserve({reservationId: id + '-2', lines: [{sku: id, quantity: 7n}]});
    throw new Error(`${name}: oversold`);
  } catch (error) {
    const refusal = ConnectError.from(error);
    const reason = refusal.findDetails(errorInfo)[0]?.reason;
    if (refusal.code !== Code.FailedPrecondition || reason !== 'INSUFFICIENT_STOCK')
      throw error;
  }
  console.log(`${name} ok`);
}

await through('connect json', createConnectTransport({baseUrl, jsonOptions: {registry}}));
await through('connect proto', createConnectTransport({baseUrl, useBinaryFormat: true}));
await through('connect get', createConnectTransport({baseUrl, useHttpGet: true, jsonOptions: {registry}}));
await through('grpc web', createGrpcWebTransport({baseUrl}));

const loaded = grpc.loadPackageDefinition(
  loader.loadFileDescriptorSetFromBuffer(set, {keepCase: true, longs: String}));
const client = new loaded.waybill.inventory.v1.InventoryService(
  address, grpc.credentials.createInsecure());
const call = (method, request) => new Promise((resolve, reject) =>
  client[method](request, {deadline: Date.now() + 10000},
    (error, answer) => error ? reject(error) : resolve(answer)));
await call('ReceiveStock', {receipt_id: 'js', sku: 'js', quantity: 10});
const answer = await call('GetStock', {sku: 'js'});
if (answer.stock.available !== '10')
  throw new Error(`grpc-js: ${answer.stock.available} available`);
const refused = await call('GetStock', {sku: 'nobody'}).then(() => null, error => error);
if (refused?.code !== grpc.status.NOT_FOUND)
  throw new Error(`grpc-js: ${refused}`);
client.close();
console.log('grpc-js ok');
