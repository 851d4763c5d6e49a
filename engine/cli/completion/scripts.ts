/** The shells that kraft can complete in. */
export const shells = ['bash', 'zsh', 'fish'] as const

/** One of {@link shells}. */
export type CompletingShell = (typeof shells)[number]

/** The script that teaches a shell to complete kraft. It asks kraft at each key, so it never needs to be made anew. */
export function completionScript(shell: CompletingShell): string {
  return { bash, zsh, fish }[shell]
}

// bash takes a colon for the end of a word: the words are read from the line, and what it holds for done is cut off again.
const bash = String.raw`# kraft completion for bash: eval "$(kraft completion bash)"
_kraft() {
  local line word candidate done
  local -a words
  read -ra words <<<"${'$'}{COMP_LINE:0:COMP_POINT}"
  case ${'$'}{COMP_LINE:0:COMP_POINT} in *[[:space:]]) words+=('') ;; esac
  word=${'$'}{words[${'$'}{#words[@]}-1]}
  done=
  case $word in
    *[:=]*)
      done=${'$'}{word%"${'$'}{word##*[:=]}"}
      case $COMP_WORDBREAKS in *"${'$'}{done: -1}"*) ;; *) done= ;; esac
      ;;
  esac
  COMPREPLY=()
  while IFS= read -r line; do
    candidate=${'$'}{line%%$'\t'*}
    if [ "$candidate" = :files ]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -f -- "${'$'}{word#"$done"}")
    else
      COMPREPLY+=("${'$'}{candidate#"$done"}")
    fi
  done < <("${'$'}{words[0]/#\~/$HOME}" --complete "${'$'}{words[@]:1}" 2>/dev/null)
}
complete -F _kraft kraft
`

const zsh = String.raw`#compdef kraft
# kraft completion for zsh: eval "$(kraft completion zsh)" behind compinit, or this as _kraft in a folder of fpath
_kraft() {
  local line
  local -a found shown asked
  asked=("${'$'}{(@Q)words[2,CURRENT-1]}" "${'$'}{(Q)PREFIX}")
  for line in "${'$'}{(@f)$(${'$'}{(Q)~words[1]} --complete "${'$'}{asked[@]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) _files ;;
      *)
        found+=("${'$'}{line%%$'\t'*}")
        shown+=("${'$'}{line%%$'\t'*}  -- ${'$'}{line#*$'\t'}")
        ;;
    esac
  done
  if ((${'$'}{#found})); then compadd -l -V kraft -d shown -a found; fi
}
if [ "${'$'}{funcstack[1]}" = _kraft ]; then _kraft "$@"; else compdef _kraft kraft; fi
`

const fish = String.raw`# kraft completion for fish: kraft completion fish >~/.config/fish/completions/kraft.fish
function __kraft_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    for line in ($words[1] --complete $words[2..-1] "$word" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$word"
        else
            printf '%s\n' $line
        end
    end
end
complete -c kraft -f -a '(__kraft_complete)'
`
