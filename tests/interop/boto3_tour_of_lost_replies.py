"""Calls whose answer is lost on the way, and which boto3 repeats without telling anybody."""

import http.client
import io
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from botocore.utils import calculate_tree_hash
from counted_boto3 import MIB, Refused, arn_of, client, file_of, finished

upstream = urlsplit(os.environ["FIRN_URL"]).netloc


class LossyProxy(BaseHTTPRequestHandler):
    """Passes everything on, but keeps to itself the next answers that it is told to lose."""

    protocol_version = "HTTP/1.1"
    # How many answers are still to be lost, and the statuses of those that were.
    to_lose = 0
    lost = []

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection(upstream)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if LossyProxy.to_lose > 0:
            LossyProxy.to_lose -= 1
            LossyProxy.lost.append(answer.status)
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() != "connection":
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = pass_on


proxy = ThreadingHTTPServer(("127.0.0.1", 0), LossyProxy)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
lossy = client(f"http://127.0.0.1:{proxy.server_port}", retries={"total_max_attempts": 3})
glacier = client()
vault = {"vaultName": "lossy"}


def repeated(status, method, **parameters):
    """The answer to a call whose first answer, with this status, gets lost."""
    LossyProxy.to_lose, LossyProxy.lost = 1, []
    answer = getattr(lossy, method)(**parameters)
    assert LossyProxy.lost == [status], LossyProxy.lost
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    return answer


def count(operation, member):
    return len(getattr(glacier, operation)(**vault)[member])


repeated(201, "create_vault", **vault)

# A multipart upload: its completion makes one archive, and says which.
whole = file_of(3 * MIB // 2, "whole.bin")
tree_hash = calculate_tree_hash(io.BytesIO(whole))
upload = {
    **vault, "uploadId": glacier.initiate_multipart_upload(**vault, partSize=str(MIB))["uploadId"],
}
for first in (MIB, 0):
    body = whole[first : first + MIB]
    place = f"bytes {first}-{first + len(body) - 1}/*"
    answer = repeated(204, "upload_multipart_part", **upload, range=place, body=body)
    assert answer["checksum"] == calculate_tree_hash(io.BytesIO(body))
assert len(glacier.list_parts(**upload)["Parts"]) == 2
end = {"archiveSize": str(len(whole)), "checksum": tree_hash}
archive = repeated(201, "complete_multipart_upload", **upload, **end)["archiveId"]
assert glacier.complete_multipart_upload(**upload, **end)["archiveId"] == archive
assert glacier.describe_vault(**vault)["NumberOfArchives"] == 1
parameters = {"Type": "archive-retrieval", "ArchiveId": archive}
job = {**vault, "jobId": glacier.initiate_job(**vault, jobParameters=parameters)["jobId"]}
finished(glacier, "lossy", job["jobId"])
output = glacier.get_job_output(**job)
assert output["body"].read() == whole and output["checksum"] == tree_hash

# One that is given up.
other = glacier.initiate_multipart_upload(**vault, partSize=str(MIB))["uploadId"]
repeated(204, "abort_multipart_upload", **vault, uploadId=other)
assert count("list_multipart_uploads", "UploadsList") == 0

# A lock.
policy = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Deny", "Principal": "*", "Action": "glacier:InitiateJob",
    "Resource": arn_of("lossy"),
    "Condition": {"NumericGreaterThan": {"glacier:ArchiveAgeInDays": "36500"}},
}]})}
glacier.initiate_vault_lock(**vault, policy=policy)
repeated(204, "abort_vault_lock", **vault)
lock = glacier.initiate_vault_lock(**vault, policy=policy)["lockId"]
repeated(204, "complete_vault_lock", **vault, lockId=lock)
assert glacier.get_vault_lock(**vault)["State"] == "Locked"

# The id of a lock is lost with its answer: the caller is told of the lock in progress, and can
# take it back.
other = {"vaultName": "relocked"}
glacier.create_vault(**other)
policy = {"Policy": policy["Policy"].replace(arn_of("lossy"), arn_of("relocked"))}
LossyProxy.to_lose, LossyProxy.lost = 1, []
with Refused(ClientError, "AccessDeniedException"):
    lossy.initiate_vault_lock(**other, policy=policy)
assert LossyProxy.lost == [201]
glacier.abort_vault_lock(**other)

repeated(204, "delete_archive", **vault, archiveId=archive)
repeated(204, "delete_vault", **vault)
glacier.delete_vault(**other)
proxy.shutdown()
print("done")
