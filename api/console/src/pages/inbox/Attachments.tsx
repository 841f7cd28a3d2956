import { useT } from '../../i18n';
import { useMedia } from './data';

/** What came with a text, each as a link that the api gives for a while. */
export function Attachments({ media }: { media: string[] }) {
  return media.map((id) => <Attachment key={id} id={id} />);
}

function Attachment({ id }: { id: string }) {
  const t = useT();
  const media = useMedia(id).data;
  if (!media?.url)
    return <span className="block text-soft">{media?.next_step ?? t('inbox.attachment')}</span>;
  return (
    <a href={media.url} target="_blank" rel="noreferrer" className="block underline">
      {`${t('inbox.attachment')} ${media.media_type ?? ''}`}
    </a>
  );
}
