#include "process/spawn.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/check.h"

namespace holdfast::process {

namespace {

constexpr int first_scratch = 64;  // Passed descriptors are parked from here on while they are renumbered.

struct Pipe {
  Descriptor read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Reason::queue_full, "out of file descriptors");
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

void stop_blocking(const Descriptor& end) { ::fcntl(end.raw(), F_SETFL, O_NONBLOCK); }

// All the child needs between vfork and exec, made before: it may neither allocate nor lock there.
struct Plan {
  const char* program = nullptr;
  const char* folder = nullptr;
  std::vector<char*> arguments, environment;
  std::array<int, 3> standard{-1, -1, -1};
  std::vector<std::pair<int, int>> passed;
  std::vector<int> parked;
  std::vector<std::pair<int, rlimit>> limits;
  pid_t parent = -1;
  volatile int problem = 0;  // errno of what failed in the child; its memory is ours until exec.
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

void mark_all_close_on_exec() {
  if (::syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  for (int raw = 3; raw < 4096; ++raw) ::fcntl(raw, F_SETFD, FD_CLOEXEC);
}

bool renumber(Plan& plan) {
  for (size_t i = 0; i < 3; ++i)
    if ((plan.parked[i] = ::fcntl(plan.standard[i], F_DUPFD_CLOEXEC, first_scratch)) < 0) return false;
  for (size_t i = 0; i < plan.passed.size(); ++i)
    if ((plan.parked[3 + i] = ::fcntl(plan.passed[i].first, F_DUPFD_CLOEXEC, first_scratch)) < 0)
      return false;
  mark_all_close_on_exec();
  for (size_t i = 0; i < 3; ++i)
    if (::dup2(plan.parked[i], static_cast<int>(i)) < 0) return false;
  for (size_t i = 0; i < plan.passed.size(); ++i)
    if (::dup2(plan.parked[3 + i], plan.passed[i].second) < 0) return false;
  return true;
}

void default_signals() {
  struct sigaction plain{};
  plain.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &plain, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void become(Plan& plan) {
  const auto give_up = [&plan] {
    plan.problem = errno;
    ::_exit(127);
  };
  if (::setpgid(0, 0) != 0) give_up();
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up();
  if (::getppid() != plan.parent) ::_exit(127);  // It died before the line above.
  if (!renumber(plan)) give_up();
  for (const auto& [resource, limit] : plan.limits)
    if (::setrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) give_up();
  if (::chdir(plan.folder) != 0) give_up();
  default_signals();
  ::execve(plan.program, plan.arguments.data(), plan.environment.data());
  give_up();
  ::_exit(127);
}

// vfork, because forking a process with gigabytes of weights copies their page tables.
__attribute__((noinline)) pid_t start(Plan& plan) {
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // No handler of ours may run in the child.
  const pid_t pid = ::vfork();
  if (pid == 0) become(plan);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return pid;
}

Exit exit_of(int status) {
  if (WIFSIGNALED(status)) return {128 + WTERMSIG(status), WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

void add_limits(Plan& plan, const Limits& limits) {
  const auto add = [&plan](int resource, const std::optional<uint64_t>& most) {
    if (most) plan.limits.emplace_back(resource, rlimit{*most, *most});
  };
  add(RLIMIT_CPU, limits.cpu_seconds);
  add(RLIMIT_AS, limits.memory_bytes);
  add(RLIMIT_NOFILE, limits.open_files);
  add(RLIMIT_FSIZE, limits.file_bytes);
  plan.limits.emplace_back(RLIMIT_CORE, rlimit{0, 0});
}

// A reader that vanished is an error of write, not the end of the program.
void ignore_broken_pipes() {
  static std::once_flag once;
  std::call_once(once, [] { ::signal(SIGPIPE, SIG_IGN); });
}

}  // namespace

Result<Child> Child::spawn(const SpawnOptions& options) {
  ignore_broken_pipes();
  if (options.program.empty() || options.program[0] != '/')
    return fail(Code::invalid, "a program is started by its absolute path");
  for (const auto& [ours, theirs] : options.passed)
    if (theirs < 3 || theirs >= first_scratch) return fail(Code::invalid, "a passed descriptor is 3 to 63");

  std::vector<std::string> arguments{options.program}, environment;
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  for (const auto& [name, value] : options.environment) environment.push_back(name + "=" + value);

  Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing && errno != EMFILE && errno != ENFILE)
    return fail(Code::internal, "/dev/null cannot be opened, which child processes need");
  if (!nothing) return fail(Reason::queue_full, "out of file descriptors");
  Plan plan;
  std::array<Pipe, 3> pipes;
  const std::array streams{options.input, options.output, options.errors};
  for (size_t i = 0; i < 3; ++i) {
    plan.standard[i] = streams[i] == Stream::ours ? static_cast<int>(i) : nothing.raw();
    if (streams[i] != Stream::pipe) continue;
    TRY(pipes[i], make_pipe());
    plan.standard[i] = i == 0 ? pipes[i].read.raw() : pipes[i].write.raw();
    stop_blocking(i == 0 ? pipes[i].write : pipes[i].read);
  }
  plan.program = options.program.c_str();
  plan.folder = options.folder.c_str();
  plan.arguments = pointers(arguments);
  plan.environment = pointers(environment);
  plan.passed = options.passed;
  plan.parked.assign(3 + plan.passed.size(), -1);
  plan.parent = ::getpid();
  add_limits(plan, options.limits);

  const pid_t pid = start(plan);
  if (pid < 0) return fail(Reason::queue_full, "the system allows no more processes");
  Child child(pid);
  if (plan.problem != 0) {
    child.reap_killed();
    return fail(Reason::dependency_failed,
                "a program could not be started: " + std::string(::strerrordesc_np(plan.problem)));
  }
  child.input = std::move(pipes[0].write);
  child.output = std::move(pipes[1].read);
  child.errors = std::move(pipes[2].read);
  return child;
}

Child::Child(Child&& other) noexcept
    : input(std::move(other.input)),
      output(std::move(other.output)),
      errors(std::move(other.errors)),
      pid_(std::exchange(other.pid_, -1)),
      exit_(other.exit_) {}

Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  if (pid_ > 0 && !exit_) reap_killed();
  input = std::move(other.input);
  output = std::move(other.output);
  errors = std::move(other.errors);
  pid_ = std::exchange(other.pid_, -1);
  exit_ = other.exit_;
  return *this;
}

Child::~Child() {
  if (pid_ > 0 && !exit_) reap_killed();
}

Result<std::optional<Exit>> Child::poll() {
  if (exit_) return exit_;
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended < 0 && errno != EINTR) return fail(Code::internal, "a child process was lost");
  if (ended == pid_) {
    signal_group(SIGKILL);  // Grandchildren do not outlive it.
    exit_ = exit_of(status);
  }
  return exit_;
}

Result<std::optional<Exit>> Child::wait(const Clock& clock, std::chrono::milliseconds deadline) {
  const Descriptor watched(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  while (true) {
    TRY(auto ended, poll());
    if (ended || clock.now() >= deadline) return ended;
    const auto left = std::min(deadline - clock.now(), std::chrono::milliseconds{watched ? 100 : 5});
    pollfd end{watched.raw(), POLLIN, 0};  // A negative descriptor only waits.
    ::poll(&end, 1, static_cast<int>(left.count()));
  }
}

void Child::signal_group(int signal) const {
  if (pid_ > 0 && !exit_) ::kill(-pid_, signal);
}

Exit Child::stop(const Clock& clock, std::chrono::milliseconds grace) {
  if (exit_) return *exit_;
  CHECK(pid_ > 0);
  signal_group(SIGTERM);
  auto ended = wait(clock, clock.now() + grace);
  if (ended.ok() && ended.value()) return *ended.value();
  return reap_killed();
}

Exit Child::reap_killed() {
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);  // Its group may not exist yet.
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_ = exit_of(status);
  return *exit_;
}

}  // namespace holdfast::process
