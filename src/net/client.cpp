#include "net/client.h"

#include <fmt/format.h>

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "base/guarded.h"
#include "net/address.h"
#include "net/pipe_signal.h"

namespace holdfast::net {
namespace {

constexpr size_t answer_fields_max = 256;

struct FreeHandle {
  void operator()(CURL* handle) const {
    const WithoutPipeSignal guard;  // It says goodbye to TLS connections that may be closed.
    curl_easy_cleanup(handle);
  }
};
using Handle = std::unique_ptr<CURL, FreeHandle>;
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

// One call while curl runs it; its functions are curl's callbacks.
struct Call {
  const ClientRequest& request;
  const Context& context;
  AddressPolicy addresses;
  ClientResponse response;
  Status outcome = Done{};  // Ours, when a callback ends the call.
  bool address_refused = false;

  static size_t header(char* bytes, size_t, size_t size, void* self) {
    return static_cast<Call*>(self)->take_header({bytes, size}) ? size : 0;
  }
  static size_t body(char* bytes, size_t, size_t size, void* self) {
    auto& call = *static_cast<Call*>(self);
    auto take = [&]() -> Status { return call.take_body({bytes, size}); };
    call.outcome = guarded(take);
    return call.outcome.ok() ? size : CURL_WRITEFUNC_ERROR;
  }
  static size_t upload(char* bytes, size_t, size_t size, void* self) {
    auto& call = *static_cast<Call*>(self);
    auto read = [&]() -> Result<size_t> {
      return std::get<BodySource*>(call.request.body)->read(std::as_writable_bytes(std::span(bytes, size)));
    };
    Result<size_t> count = guarded(read);
    if (count.ok()) return count.value();
    call.outcome = std::move(count).error();
    return CURL_READFUNC_ABORT;
  }
  static int progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Call*>(self)->context.stop.stop_requested() ? 1 : 0;
  }
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* to) {
    auto& call = *static_cast<Call*>(self);
    if (call.addresses == AddressPolicy::public_only && !is_public_address(to->addr)) {
      call.address_refused = true;
      return CURL_SOCKET_BAD;
    }
    return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  }

  bool take_header(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {  // Another answer: after 100 Continue or a redirect.
      response.headers = {};
      return true;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    if (response.headers.fields().size() == answer_fields_max) return false;
    response.headers.add(std::string(line.substr(0, colon)), std::string(value));
    return true;
  }

  Status take_body(std::string_view bytes);
  CURL* handle = nullptr;
};

Status Call::take_body(std::string_view bytes) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  if (request.take && status >= 200 && status < 300) return request.take(as_bytes(bytes));
  if (bytes.size() > request.body_bytes_max - response.body.size())
    return fail(Reason::body_too_large, "the answer is larger than expected");
  response.body += bytes;
  return Done{};
}

class CurlClient final : public Client {
 public:
  CurlClient(ClientOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {
    static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)initialized;
  }
  Result<ClientResponse> send(const ClientRequest& request, const Context& context) override;

 private:
  Handle borrow();
  void give_back(Handle handle);
  Status set_up(CURL* handle, Call& call, List& fields) const;
  void set_method(CURL* handle, Call& call) const;

  const ClientOptions options_;
  const Clock& clock_;
  std::mutex mutex_;          // Guards idle_.
  std::vector<Handle> idle_;  // Each keeps its connections open.
};

Handle CurlClient::borrow() {
  std::lock_guard lock(mutex_);
  if (idle_.empty()) return Handle(curl_easy_init());
  Handle handle = std::move(idle_.back());
  idle_.pop_back();
  return handle;
}

void CurlClient::give_back(Handle handle) {
  curl_easy_reset(handle.get());  // Keeps connections and looked-up names.
  std::lock_guard lock(mutex_);
  if (idle_.size() < options_.connections_kept_max) idle_.push_back(std::move(handle));
}

void CurlClient::set_method(CURL* handle, Call& call) const {
  const ClientRequest& request = call.request;
  if (request.method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  } else if (std::holds_alternative<BodySource*>(request.body)) {
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, Call::upload);
    curl_easy_setopt(handle, CURLOPT_READDATA, &call);
    curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
    if (request.content_length)
      curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(*request.content_length));
  } else if (const auto& text = std::get<std::string>(request.body);
             !text.empty() || request.method != "GET") {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(text.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, text.data());
  }
  if (request.method != "HEAD") curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

Status CurlClient::set_up(CURL* handle, Call& call, List& fields) const {
  const ClientRequest& request = call.request;
  std::chrono::milliseconds timeout = request.timeout;
  if (call.context.deadline != std::chrono::milliseconds::max())
    timeout = std::min(timeout, call.context.deadline - clock_.now());
  if (timeout.count() <= 0) return fail(Reason::timed_out, "no time is left for the call");
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_PROXY, "");  // None, whatever the environment says.
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME,
                   std::max(1L, static_cast<long>(options_.idle_timeout.count() / 1000)));
  if (!options_.certificate_authorities_file.empty())
    curl_easy_setopt(handle, CURLOPT_CAINFO, options_.certificate_authorities_file.c_str());
  const bool follows = request.redirects_max > 0 && (request.method == "GET" || request.method == "HEAD");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, follows ? 1L : 0L);
  curl_easy_setopt(handle, CURLOPT_MAXREDIRS, static_cast<long>(request.redirects_max));
  curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, 256L << 10);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, Call::header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &call);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, Call::body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &call);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, Call::progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &call);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, Call::open_socket);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &call);
  auto add = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(fields.get(), line.c_str());
    if (longer == nullptr) return;
    (void)fields.release();
    fields.reset(longer);
  };
  add("Expect:");  // Not asked for: it costs a round trip.
  if (!request.headers.find("Content-Type")) add("Content-Type:");
  for (const auto& [name, value] : request.headers.fields()) {
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      return fail(Reason::bad_request, "a header field holds a line break");
    add(value.empty() ? name + ";" : name + ": " + value);
  }
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, fields.get());
  set_method(handle, call);
  return Done{};
}

// "host:port" as it stands in the URL: no name or password before it, no path behind.
std::string_view authority_of(std::string_view url) {
  if (const size_t at = url.find("://"); at != std::string_view::npos) url.remove_prefix(at + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const size_t at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  return url;
}

Error error_of(CURLcode code, Call& call) {
  if (!call.outcome.ok()) return call.outcome.error();
  if (call.context.stop.stop_requested()) return fail(Reason::client_gone, "the call was given up");
  if (call.address_refused) return fail(Reason::policy_refused, "the address is not a public one");
  if (code == CURLE_OPERATION_TIMEDOUT) return fail(Reason::timed_out, "the other server took too long");
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
    return fail(Reason::bad_request, "this is not an http or https URL");
  return fail(
      Reason::dependency_failed,
      fmt::format("the call to {} failed: {}", authority_of(call.request.url), curl_easy_strerror(code)));
}

Result<ClientResponse> CurlClient::send(const ClientRequest& request, const Context& context) {
  Handle handle = borrow();
  if (!handle) return fail(Code::internal, "curl gives no handle");
  Call call{.request = request, .context = context, .addresses = options_.addresses, .response = {}};
  call.handle = handle.get();
  List fields;
  TRY_DONE(set_up(handle.get(), call, fields));
  CURLcode code;
  {
    const WithoutPipeSignal guard;
    code = curl_easy_perform(handle.get());
  }
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK) return error_of(code, call);  // The handle goes, and its connections with it.
  give_back(std::move(handle));
  call.response.status = static_cast<int>(status);
  return std::move(call.response);
}

}  // namespace

std::unique_ptr<Client> make_client(ClientOptions options, const Clock& clock) {
  return std::make_unique<CurlClient>(std::move(options), clock);
}

}  // namespace holdfast::net
